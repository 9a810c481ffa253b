"""The API server refuses the workload's pods.

## What it means
The controller asks for pods, and each one is refused before it exists. Nothing is Pending and nothing has logs: the
only traces are a condition of the ReplicaSet and events named FailedCreate.

## Why it happens
- A LimitRange: a container asks for more or less than the namespace allows.
- Pod Security: the namespace enforces a level that the pod's security context does not meet.
- A webhook or policy says no, or a webhook with failurePolicy Fail cannot be reached.
- The template names a PriorityClass, ServiceAccount or RuntimeClass that does not exist.

## How to fix it
1. Read the answer of the API server: it names the rule and the field.
2. Change the template so that it meets the rule, or make what it names.
3. For a webhook that cannot be reached: repair its Service first; without it nothing is admitted.

## References
- https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
- https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from diagnostics.admission._refused import RefusedPods, blamed_for, lacks_pods, refused_pods, webhook_named
from kubedoctor.cluster import (
    Cluster,
    DaemonSet,
    Event,
    Evidence,
    Job,
    KubernetesObject,
    LimitRange,
    MutatingWebhookConfiguration,
    Namespace,
    Pod,
    PriorityClass,
    Ref,
    ReplicaSet,
    ServiceAccount,
    StatefulSet,
    ValidatingWebhookConfiguration,
    has_path,
    quote,
    ref,
)
from kubedoctor.cluster.control import RuntimeClass
from kubedoctor.cluster.nearest import misspellings
from kubedoctor.cluster.relations import WORKLOADS, template_path
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.admission.refusals import Refused

_NAMED: dict[Refused, tuple[type[KubernetesObject], str, str]] = {
    Refused.PRIORITY_CLASS: (PriorityClass, "priorityClassName", "PriorityClass"),
    Refused.SERVICE_ACCOUNT: (ServiceAccount, "serviceAccountName", "ServiceAccount"),
    Refused.RUNTIME_CLASS: (RuntimeClass, "runtimeClassName", "RuntimeClass"),
}


@diagnostic(
    code="KD5103",
    subject=ReplicaSet,
    also_subjects=(StatefulSet, DaemonSet, Job),
    severity=Severity.CRITICAL,
    reads=(
        *(Pod, Event, LimitRange, Namespace, PriorityClass, ServiceAccount, RuntimeClass),
        *(ValidatingWebhookConfiguration, MutatingWebhookConfiguration),
        *WORKLOADS,
    ),
    when=lacks_pods,
    explains=(Explains("same"), Explains("selects", ("KD2001",))),
    also_known_as=("FailedCreate", "forbidden"),
)
def pods_refused(workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    said = refused_pods(workload, cluster)
    if said is None or said.refusal.kind in (Refused.QUOTA_EXCEEDED, Refused.QUOTA_NEEDS):
        return
    refusal, who = said.refusal, said.workload
    summary, evidence, fixes = _explained(said, workload, cluster)
    about = blamed_for(said, cluster)
    yield Finding(
        about=about,
        summary=summary,
        evidence=(said.evidence, *evidence),
        confidence=Confidence.CERTAIN if refusal.kind is not Refused.OTHER else Confidence.LIKELY,
        detail=f"{who.title} lacks {said.missing} of its pods: {refusal.text}",
        affects=(who,) if about != who else (),
        fixes=fixes,
        commands=(
            Command(f"kubectl describe {ref(workload).argument} -n {workload.namespace}", "the events say it in full"),
        ),
        because_of=_behind(said, cluster),
    )


def _behind(said: RefusedPods, cluster: Cluster) -> tuple[Ref, ...]:
    if said.refusal.kind is not Refused.WEBHOOK_FAILS or (found := webhook_named(said.refusal.name, cluster)) is None:
        return ()
    service = found[1].client_config.service
    return (Ref("Service", service.namespace, service.name),) if service else ()


_Explained = tuple[str, tuple[Evidence, ...], tuple[Fix, ...]]


def _explained(said: RefusedPods, workload: KubernetesObject, cluster: Cluster) -> _Explained:
    refusal = said.refusal
    if refusal.kind in _NAMED:
        return _missing_name(said, workload, cluster)
    if refusal.kind is Refused.LIMIT_RANGE:
        return _limit_range(said, cluster)
    if refusal.kind is Refused.POD_SECURITY:
        return _pod_security(said, cluster)
    if refusal.kind is Refused.WEBHOOK_FAILS:
        return _webhook(said, cluster)
    if refusal.kind is Refused.POLICY:
        fix = Fix("change the template as the policy demands")
        _, _, message = refusal.text.partition("denied request: ")
        return f"ValidatingAdmissionPolicy {refusal.name} refuses its pods: {message or refusal.text}", (), (fix,)
    if refusal.kind is Refused.WEBHOOK_DENIES:
        return f"its pods are refused: {refusal.text}", (), (Fix("change the template as the webhook demands"),)
    return f"its pods are refused: {refusal.text}", (), ()


def _missing_name(said: RefusedPods, workload: KubernetesObject, cluster: Cluster) -> _Explained:
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
    return [one.name for one in cluster.maybe.all(kind, namespace) if not one.name.startswith("system-")]


def _limit_range(said: RefusedPods, cluster: Cluster) -> _Explained:
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


def _pod_security(said: RefusedPods, cluster: Cluster) -> _Explained:
    namespace = cluster.maybe.get(Namespace, "", said.workload.namespace)
    path = "metadata.labels[pod-security.kubernetes.io/enforce]"
    evidence = (quote(namespace, path, "enforced"),) if namespace is not None and has_path(namespace, path) else ()
    _, _, rules = said.refusal.text.partition(": ")
    short = "; ".join(part.partition(" (")[0].strip() for part in rules.split("), "))
    summary = f"breaks Pod Security level {said.refusal.name} of its namespace: {short}"
    return summary, evidence, (Fix("set the fields that the answer names in the template's securityContext"),)


def _webhook(said: RefusedPods, cluster: Cluster) -> _Explained:
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
