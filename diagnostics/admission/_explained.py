"""What each kind of refusal means: the sentence, what it is read from, and the remedies."""

from __future__ import annotations

import shlex

from diagnostics.admission._refused import RefusedPods, webhook_named
from kubedoctor.cluster import (
    Cluster,
    Evidence,
    KubernetesObject,
    LimitRange,
    Namespace,
    PriorityClass,
    ServiceAccount,
    has_path,
    quote,
)
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.kinds.control import RuntimeClass
from kubedoctor.cluster.relations.workloads import template_path
from kubedoctor.findings import Fix
from kubedoctor.replay.admission.refusals import AdmissionStep
from kubedoctor.replay.scheduler.counterfactuals.priority_classes import SYSTEM

_NAMED: dict[AdmissionStep, tuple[type[KubernetesObject], str, str]] = {
    AdmissionStep.PRIORITY_CLASS: (PriorityClass, "priorityClassName", "PriorityClass"),
    AdmissionStep.SERVICE_ACCOUNT: (ServiceAccount, "serviceAccountName", "ServiceAccount"),
    AdmissionStep.RUNTIME_CLASS: (RuntimeClass, "runtimeClassName", "RuntimeClass"),
}
Explained = tuple[str, tuple[Evidence, ...], tuple[Fix, ...]]


def explained(said: RefusedPods, workload: KubernetesObject, cluster: Cluster) -> Explained:
    """For every refusal but a quota's, which has pages of its own."""
    refusal = said.refusal
    if refusal.kind in _NAMED:
        return _missing_name(said, workload, cluster)
    if refusal.kind is AdmissionStep.LIMIT_RANGE:
        return _limit_range(said, cluster)
    if refusal.kind is AdmissionStep.POD_SECURITY:
        return _pod_security(said, cluster)
    if refusal.kind is AdmissionStep.WEBHOOK_FAILS:
        return _webhook(said, cluster)
    if refusal.kind is AdmissionStep.POLICY:
        fix = Fix("change the template as the policy demands")
        _, _, message = refusal.text.partition("denied request: ")
        return f"ValidatingAdmissionPolicy {refusal.name} refuses its pods: {message or refusal.text}", (), (fix,)
    if refusal.kind is AdmissionStep.WEBHOOK_DENIES:
        return f"its pods are refused: {refusal.text}", (), (Fix("change the template as the webhook demands"),)
    return f"its pods are refused: {refusal.text}", (), ()


def _missing_name(said: RefusedPods, workload: KubernetesObject, cluster: Cluster) -> Explained:
    kind, field, title = _NAMED[said.refusal.kind]
    name, namespace = said.refusal.name, said.workload.namespace if kind is ServiceAccount else ""
    near = misspellings(name, _choices(kind, namespace, cluster), 1)
    path = f"{template_path(workload)}.{field}"
    evidence = (quote(workload, path, "named by the template"),) if has_path(workload, path) else ()
    hint = f"; did you mean {near[0]}?" if near else ""
    if kind is ServiceAccount:
        fix = Fix("create it", f"kubectl create serviceaccount {shlex.quote(name)} -n {namespace}")
    else:
        fix = Fix(f"create {title} {name}, or name one that exists")
    return f"names {title} {name}, which does not exist{hint}", evidence, (fix,)


def _choices(kind: type[KubernetesObject], namespace: str, cluster: Cluster) -> list[str]:
    """Names that a person may have meant; the classes of Kubernetes itself are for its own components."""
    return [one.name for one in cluster.maybe.all(kind, namespace) if not one.name.startswith(SYSTEM)]


def _limit_range(said: RefusedPods, cluster: Cluster) -> Explained:
    text = said.refusal.text.strip("[]")
    evidence = []
    for limits in cluster.maybe.all(LimitRange, said.workload.namespace):
        for index, item in enumerate(limits.spec.limits or ()):
            for side, word in (("max", "maximum"), ("min", "minimum")):
                for resource, amount in (getattr(item, side) or {}).items():
                    if f"{word} {resource} usage per {item.type} is {amount}" in text:
                        evidence.append(quote(limits, f"spec.limits[{index}].{side}[{resource}]", "the bound"))
    names = ", ".join(sorted({one.object.name for one in evidence}))
    summary = f"breaks LimitRange {names}: {text}" if names else f"breaks a LimitRange of its namespace: {text}"
    return summary, tuple(evidence), (Fix("ask for an amount within the bounds, or change the LimitRange"),)


def _pod_security(said: RefusedPods, cluster: Cluster) -> Explained:
    namespace = cluster.maybe.get(Namespace, "", said.workload.namespace)
    path = "metadata.labels[pod-security.kubernetes.io/enforce]"
    evidence = (quote(namespace, path, "enforced"),) if namespace is not None and has_path(namespace, path) else ()
    _, _, rules = said.refusal.text.partition(": ")
    short = "; ".join(part.partition(" (")[0].strip() for part in rules.split("), "))
    summary = f"breaks Pod Security level {said.refusal.name} of its namespace: {short}"
    return summary, evidence, (Fix("set the fields that the answer names in the template's securityContext"),)


def _webhook(said: RefusedPods, cluster: Cluster) -> Explained:
    name = said.refusal.name
    _, _, why = said.refusal.text.rpartition('": ')
    found = webhook_named(name, cluster)
    if found is None:
        return f"webhook {name} cannot be called, so its pods are refused: {why}", (), ()
    configuration, webhook = found
    base = f"webhooks[name={name}]"
    paths = [f"{base}.failurePolicy", f"{base}.clientConfig.service"]
    evidence = tuple(quote(configuration, path, "") for path in paths if has_path(configuration, path))
    policy = webhook.failure_policy or "Fail"
    summary = f"webhook {name} (failurePolicy {policy}) cannot be called, so pods are refused: {why}"
    fix = Fix("repair the Service behind the webhook; if that takes long, set failurePolicy to Ignore for the time")
    return summary, evidence, (fix,)
