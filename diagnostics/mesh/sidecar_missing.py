"""Pod has no Istio sidecar although injection is requested.

## What it means
The namespace or the pod requests the Istio proxy, but the pod runs without it. The pod sends plain text: Services with
strict mutual TLS refuse it, and routes, policies and metrics of the mesh do not apply to it.

## Why it happens
- The pod is older than the label or the injector: a sidecar is injected only when a pod is created.
- The label of the namespace requests a revision that no injector serves, or `istio-injection` has a wrong value.
- The namespace has both `istio-injection` and `istio.io/rev`: `istio-injection` wins.
- The pod requests the sidecar by annotation only. The webhook selects by label.
- The pod uses `hostNetwork`: such pods are never injected.

## How to fix it
1. Correct the label on the namespace or in the pod template.
2. Restart the workload, then check that its pods have a container `istio-proxy`.

## References
- https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/
- https://istio.io/latest/docs/ops/common-problems/injection/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._injectors import LOOK, relabel, serves
from kubedoctor.answers.mesh.injection import why_not_called, wrong_label
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    MutatingWebhookConfiguration,
    Namespace,
    Pod,
    finished,
    terminating,
    workload_of,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Finding,
    Severity,
    diagnostic,
    kubectl,
    quote,
    ref,
    restart,
)
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.injection import INJECT, REVISION, Call, Injector
from kubedoctor.replay.mesh.wishes import label_meant, may_wish, wish_of

MOST_INJECTORS = 3


def _without_proxy(pod: Pod) -> bool:
    return not (finished(pod) or terminating(pod) or injection.has_sidecar(pod))


@diagnostic(
    code="KD6001",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Pod, Namespace, MutatingWebhookConfiguration, *WORKLOADS),
    when=_without_proxy,
    among=may_wish,
    symptoms=("istio-proxy", "istio-injection"),
)
def sidecar_missing(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if pod.namespace in injection.IGNORED_NAMESPACES:
        return
    namespace = cluster.get(Namespace, "", pod.namespace)
    requested = wish_of(pod, namespace)
    if requested is None or (pod.spec.host_network and requested.asker is not pod):
        return
    labels = namespace.labels if namespace is not None else {}
    wish = quote(requested.asker, requested.path, "requests a sidecar")
    if pod.spec.host_network:
        yield _about_workload(
            pod,
            cluster,
            "the pod requests an Istio sidecar, but uses hostNetwork: such pods are never injected",
            (wish, quote(pod, "spec.hostNetwork", "pods with hostNetwork are never injected")),
            Confidence.CERTAIN,
        )
        return
    calls = injection.calls(cluster.all(MutatingWebhookConfiguration), labels, pod.labels)
    calling = [call for call in calls if call.calls]
    if calling and injection.required(pod, pod.namespace, Injector()):
        yield _not_recreated(pod, calling[0], wish, cluster)
    elif not calling:
        yield _not_called(pod, namespace, calls, wish, cluster)


def _not_recreated(pod: Pod, call: Call, wish: Evidence, cluster: Cluster) -> Finding:
    """The webhook would be called for this pod if it were created at the moment of the snapshot."""
    born, since = pod.metadata.creation_timestamp, call.configuration.metadata.creation_timestamp
    older = born is not None and since is not None and born < since
    evidence = [wish]
    if older:
        evidence += [
            quote(pod, "metadata.creationTimestamp", "when the pod was created"),
            quote(call.configuration, "metadata.creationTimestamp", "when the injector was created"),
        ]
        summary = "the pods have no Istio sidecar: they are older than the injector"
    else:
        evidence.append(serves(call))
        summary = (
            "the pods have no Istio sidecar: they were created before the label was set, or while the injector was down"
        )
    return _about_workload(
        pod, cluster, summary, tuple(evidence), Confidence.CERTAIN if older else Confidence.LIKELY, recreate=True
    )


def _not_called(
    pod: Pod, namespace: Namespace | None, calls: tuple[Call, ...], wish: Evidence, cluster: Cluster
) -> Finding:
    labels = namespace.labels if namespace is not None else {}
    injectors = tuple(serves(call) for call in calls)[:MOST_INJECTORS]
    if namespace is None or wish.object != ref(namespace):
        summary = why_not_called(pod, labels, calls, by_annotation="annotations" in wish.path)
        return _about_workload(pod, cluster, summary, (wish, *injectors), Confidence.CERTAIN)
    label = label_meant(labels, calls)
    return Finding(
        about=ref(namespace),
        summary=wrong_label(labels, calls),
        confidence=Confidence.CERTAIN,
        evidence=(wish, *injectors),
        fixes=relabel(namespace, label, calls, pod, cluster) if label else (),
        commands=(LOOK,),
    )


def _about_workload(
    pod: Pod,
    cluster: Cluster,
    summary: str,
    evidence: tuple[Evidence, ...],
    confidence: Confidence,
    *,
    recreate: bool = False,
) -> Finding:
    name = workload_of(pod, cluster)
    return Finding(
        about=name,
        summary=summary,
        confidence=confidence,
        evidence=evidence,
        fixes=(restart(name, "Let the sidecar be injected into new pods"),) if recreate else (),
        commands=(
            Command(
                kubectl("get", "pods", "-L", INJECT, "-L", REVISION, namespace=pod.namespace),
                "the pods that request a sidecar",
            ),
            LOOK,
        ),
    )
