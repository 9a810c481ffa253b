"""A pod should be in the Istio mesh and has no sidecar.

## What it means
The namespace or the pod asks for Istio's proxy, but the pod runs without it. It speaks plain text:
services with strict mutual TLS refuse it, and routes, policies and metrics of the mesh pass it by.

## Why it happens
- The pod is older than the label or the injector: sidecars are put in only when a pod is created.
- The namespace names a revision that no injector serves, or `istio-injection` has a wrong value.
- `istio-injection` stands beside `istio.io/rev`: the first one wins.
- The pod asks by annotation only, which the webhook's selectors do not see. It must be a label.
- The pod is on its node's network: those are never injected.

## How to fix it
1. Correct the label on the namespace or in the pod template.
2. Restart the workload; look for the container `istio-proxy`.

## References
- https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/
- https://istio.io/latest/docs/ops/common-problems/injection/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._injectors import LOOK, relabel, serves, why_not_called, wrong_label
from kubedoctor.cluster.kinds.control import MutatingWebhookConfiguration
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.workloads import WORKLOADS, workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, terminating
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Evidence,
    Finding,
    Fix,
    Ref,
    Severity,
    diagnostic,
    quote,
    ref,
)
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.injection import INJECT, REVISION, Call, Injector
from kubedoctor.replay.mesh.wishes import label_meant, wish_of

MOST_INJECTORS = 3


def _without_proxy(pod: Pod) -> bool:
    return not (finished(pod) or terminating(pod) or injection.has_sidecar(pod))


@diagnostic(
    code="KD6001",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Pod, Namespace, MutatingWebhookConfiguration, *WORKLOADS),
    when=_without_proxy,
    symptoms=("istio-proxy", "istio-injection"),
)
def sidecar_missing(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if pod.namespace in injection.IGNORED_NAMESPACES:
        return
    namespace = cluster.get(Namespace, "", pod.namespace)
    found = wish_of(pod, namespace)
    if found is None or (pod.spec.host_network and found.asker is not pod):
        return
    labels = namespace.labels if namespace is not None else {}
    wish = quote(found.asker, found.path, "asks for a sidecar")
    if pod.spec.host_network:
        yield _about_workload(
            pod, cluster, "it asks for an Istio sidecar, but is on its node's network: such pods never get one",
            (wish, quote(pod, "spec.hostNetwork", "never injected")), Confidence.CERTAIN,
        )  # fmt: skip
        return
    calls = injection.calls(cluster.all(MutatingWebhookConfiguration), labels, pod.labels)
    calling = [each for each in calls if each.calls]
    if calling and injection.required(pod, pod.namespace, Injector()):
        yield _not_renewed(pod, calling[0], wish, cluster)
    elif not calling:
        yield _not_called(pod, namespace, calls, wish, cluster)


def _not_renewed(pod: Pod, call: Call, wish: Evidence, cluster: Cluster) -> Finding:
    """The webhook would be called for this pod if it were created at the moment of the snapshot."""
    born, since = pod.metadata.creation_timestamp, call.configuration.metadata.creation_timestamp
    older = born is not None and since is not None and born < since
    evidence = [wish]
    if older:
        evidence += [
            quote(pod, "metadata.creationTimestamp", "when the pod was made"),
            quote(call.configuration, "metadata.creationTimestamp", "when the injector came"),
        ]
        summary = "it has no Istio sidecar: its pods are older than the injector"
    else:
        evidence.append(serves(call))
        summary = "it has no Istio sidecar: its pods were made before the label was set, or while the injector was down"
    return _about_workload(
        pod, cluster, summary, tuple(evidence), Confidence.CERTAIN if older else Confidence.LIKELY, restart=True
    )


def _not_called(
    pod: Pod, namespace: Namespace | None, calls: tuple[Call, ...], wish: Evidence, cluster: Cluster
) -> Finding:
    labels = namespace.labels if namespace is not None else {}
    injectors = tuple(serves(each) for each in calls)[:MOST_INJECTORS]
    if namespace is None or wish.object != ref(namespace):
        summary = why_not_called(pod, labels, wish, calls)
        return _about_workload(pod, cluster, summary, (wish, *injectors), Confidence.CERTAIN)
    label = label_meant(labels, calls)
    return Finding(
        about=ref(namespace),
        summary=wrong_label(labels, calls),
        confidence=Confidence.CERTAIN,
        evidence=(wish, *injectors),
        fixes=relabel(namespace, label, calls, pod) if label else (),
        commands=(LOOK,),
    )


def _about_workload(
    pod: Pod,
    cluster: Cluster,
    summary: str,
    evidence: tuple[Evidence, ...],
    confidence: Confidence,
    *,
    restart: bool = False,
) -> Finding:
    name = workload_of(pod, cluster)
    return Finding(
        about=name,
        summary=summary,
        confidence=confidence,
        evidence=evidence,
        fixes=(_renew(name),) if restart else (),
        commands=(
            Command(f"kubectl get pods -n {pod.namespace} -L {INJECT} -L {REVISION}", "which pods ask"),
            LOOK,
        ),
    )


def _renew(name: Ref) -> Fix:
    if name.kind in ("Deployment", "StatefulSet", "DaemonSet"):
        command = f"kubectl rollout restart {name.argument}{name.namespace_flag}"
        return Fix("make the pods anew", command, Effect.DISRUPTS)
    return Fix("delete the pod and make it anew", "", Effect.DISRUPTS)
