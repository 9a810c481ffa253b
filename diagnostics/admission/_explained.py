"""What each kind of refusal means: the sentence, its evidence, and the fixes."""

from __future__ import annotations

import re
from typing import Final

from diagnostics.admission._limit_range import invalid_by_default, out_of_bounds
from diagnostics.admission._pod_security import forbidden_pods
from diagnostics.admission._policy_engines import rule_named
from diagnostics.admission._refused import RefusedPods, webhook_named
from diagnostics.admission._webhook import webhook_service
from kubedoctor.cluster import (
    Cluster,
    Evidence,
    KubernetesObject,
    PriorityClass,
    Ref,
    RuntimeClass,
    ServiceAccount,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
    has_path,
    misspellings,
    quote,
    ref,
    template_path,
)
from kubedoctor.cluster.changes import create
from kubedoctor.findings import Effect, Fix, command_line, edit_command
from kubedoctor.replay.admission.refusals import AdmissionStep
from kubedoctor.replay.scheduler.counterfactuals.priority_classes import SYSTEM

_NAMED: dict[AdmissionStep, tuple[type[KubernetesObject], str, str]] = {
    AdmissionStep.PRIORITY_CLASS: (PriorityClass, "priorityClassName", "PriorityClass"),
    AdmissionStep.SERVICE_ACCOUNT: (ServiceAccount, "serviceAccountName", "ServiceAccount"),
    AdmissionStep.RUNTIME_CLASS: (RuntimeClass, "runtimeClassName", "RuntimeClass"),
}
_BINDING: Final = re.compile(r"with binding '([^']*)'")
_ACTIONS: Final = "spec.validationActions"
Explained = tuple[str, tuple[Evidence, ...], tuple[Fix, ...]]


def explained(refused: RefusedPods, workload: KubernetesObject, cluster: Cluster) -> Explained:
    """The sentence, the evidence and the fixes of every refusal but a quota's, which has diagnostics of its own."""
    refusal = refused.refusal
    if refusal.kind in _NAMED:
        return _missing_name(refused, workload, cluster)
    if refusal.kind is AdmissionStep.LIMIT_RANGE:
        return out_of_bounds(refused, cluster)
    if refusal.kind is AdmissionStep.POD_SECURITY:
        return forbidden_pods(refused, cluster)
    if refusal.kind is AdmissionStep.WEBHOOK_FAILS:
        return _webhook(refused, cluster)
    if refusal.kind is AdmissionStep.POLICY_FAILS:
        return _failing_policy(refused, cluster)
    if refusal.kind is AdmissionStep.POLICY:
        return _denied_by_policy(refused, cluster)
    if refusal.kind is AdmissionStep.WEBHOOK_DENIES:
        rule = rule_named(f"{refusal.name} {refusal.text}") or "the webhook's rule"
        fix = Fix(f"Change the pod template to meet {rule}")
        return f"a webhook denies the pods: {refusal.text}", (), (fix,)
    return invalid_by_default(refused, cluster) or (f"the API server refuses the pods: {refusal.text}", (), ())


def _denied_by_policy(refused: RefusedPods, cluster: Cluster) -> Explained:
    """With the expression that is not met, where the message tells which, and the binding that lets it refuse."""
    refusal = refused.refusal
    head, _, message = refusal.text.partition("denied request: ")
    fix = Fix("Change the pod template to meet the policy")
    evidence: list[Evidence] = []
    if refusal.policy == ValidatingAdmissionPolicy.__name__:
        policy = cluster.maybe.get(ValidatingAdmissionPolicy, "", refusal.name)
        path = _validation_path(policy, message) if policy is not None else ""
        if policy is not None and path:
            evidence.append(quote(policy, path, "what must hold"))
        bound = _BINDING.search(head)
        binding = cluster.maybe.get(ValidatingAdmissionPolicyBinding, "", bound[1]) if bound is not None else None
        if binding is not None and has_path(binding, _ACTIONS):
            evidence.append(quote(binding, _ACTIONS, "what a denial does"))
    return f"{refusal.policy} {refusal.name} denies the pods: {message or refusal.text}", tuple(evidence), (fix,)


def _validation_path(policy: ValidatingAdmissionPolicy, message: str) -> str:
    """Of the expression behind a message; empty where several or none may have made it."""
    validations = (policy.spec or {}).get("validations") or ()
    found = [
        f"spec.validations[{place}].expression"
        for place, validation in enumerate(validations)
        if message in (validation.get("message"), f"failed expression: {str(validation.get('expression')).strip()}")
    ]
    if not found and len(validations) == 1:
        found = ["spec.validations[0].expression"]
    return found[0] if len(found) == 1 and has_path(policy, found[0]) else ""


def _failing_policy(refused: RefusedPods, cluster: Cluster) -> Explained:
    """A policy that cannot decide: no change of the pods is asked for."""
    kind, name, text = (
        refused.refusal.policy,
        refused.refusal.name,
        refused.refusal.text.partition("denied request: ")[2],
    )
    policy = (
        cluster.maybe.get(ValidatingAdmissionPolicy, "", name) if kind == ValidatingAdmissionPolicy.__name__ else None
    )
    path = "spec.failurePolicy"
    evidence = (quote(policy, path, "refuses where it cannot decide"),) if policy and has_path(policy, path) else ()
    edit = edit_command(Ref(kind, "", name))
    if "no params found" in text:
        summary = f"{kind} {name} refuses the pods because its parameters are missing: {text}"
        return summary, evidence, (Fix("Create the object that paramRef of the policy's binding names"),)
    _, erred, why = text.rpartition("' resulted in error: ")
    summary = f"{kind} {name} cannot be evaluated, so the pods are refused: "
    if not erred:
        return summary + text, evidence, (Fix("Correct the policy", edit, Effect.CHANGES),)
    key = "no such key" in why
    fix = "Correct the expression of the policy" + (": test with has() whether the field is there" if key else "")
    return f"{summary}its expression fails: {why}", evidence, (Fix(fix, edit, Effect.CHANGES),)


def _missing_name(refused: RefusedPods, workload: KubernetesObject, cluster: Cluster) -> Explained:
    kind, field, title = _NAMED[refused.refusal.kind]
    name, namespace = refused.refusal.name, refused.workload.namespace if kind is ServiceAccount else ""
    near = misspellings(name, _choices(kind, namespace, cluster), 1)
    path = f"{template_path(workload)}.{field}"
    evidence = (quote(workload, path, "set in the pod template"),) if has_path(workload, path) else ()
    hint = f"; did you mean {near[0]}?" if near else ""
    if kind is ServiceAccount:
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
        fix = Fix(f"Create ServiceAccount {name}", command_line(create(account)))
    else:
        fix = Fix(f"Create {title} {name}, or set an existing {title} in the pod template")
    return f"{title} {name} of the pod template does not exist{hint}", evidence, (fix,)


def _choices(kind: type[KubernetesObject], namespace: str, cluster: Cluster) -> list[str]:
    """Names that a person may have intended, without the priority classes that Kubernetes reserves for its own
    components."""
    return [obj.name for obj in cluster.maybe.all(kind, namespace) if not obj.name.startswith(SYSTEM)]


def _webhook(refused: RefusedPods, cluster: Cluster) -> Explained:
    name = refused.refusal.name
    _, _, why = refused.refusal.text.rpartition('": ')
    configured_webhook = webhook_named(name, cluster)
    if configured_webhook is None:
        return f"webhook {name} cannot be called, so the pods are refused: {why}", (), ()
    configuration, webhook = configured_webhook
    base = f"webhooks[name={name}]"
    paths = [f"{base}.failurePolicy", f"{base}.clientConfig.service"]
    evidence = tuple(quote(configuration, path, "") for path in paths if has_path(configuration, path))
    policy = webhook.failure_policy or "Fail"
    state, more, fix = webhook_service(webhook, ref(configuration), why, cluster)
    summary = f"webhook {name} (failurePolicy {policy}) cannot be called, so the pods are refused: {why}"
    return f"{summary}; {state}" if state else summary, (*evidence, *more), (fix,)
