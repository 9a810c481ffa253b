"""Linkerd: pods that should have a proxy have none.

## What it means
The namespace or the pod requests Linkerd's proxy, and the pod runs without it: its connections are not encrypted, it has no identity, and
servers that demand one refuse it.

## Why it happens
- The pod was created before the annotation was set, or while the injector was down: the proxy is added only when a pod is created.
- `linkerd.io/inject` was written as a label; the injector reads the annotation.
- The injector is not installed in this cluster.

## How to fix it
Set the annotation `linkerd.io/inject: enabled` on the Namespace or the pod template, then restart the workloads.

## References
- https://linkerd.io/2/features/proxy-injection/
- https://linkerd.io/2/tasks/adding-your-service/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    kubectl,
    quote,
    ref,
    restart,
)
from kubedoctor.replay.mesh.linkerd.proxies import INJECT, INJECTS, has_proxy, is_injector

LOOK = Command("kubectl get mutatingwebhookconfigurations", "whether the injector is installed")


_WEBHOOKS = "config.linkerd.io/admission-webhooks"


def without_proxy(pod: Pod) -> bool:
    """Pods on the network of their node, and those without a token, are never injected."""
    skipped = pod.spec.host_network or pod.spec.automount_service_account_token is False
    return not (finished(pod) or terminating(pod) or has_proxy(pod) or skipped)


def may_wish(cluster: Cluster) -> Callable[[Pod], bool]:
    """A predicate of the pods that may request a proxy: by themselves, or in a namespace that does."""
    marked = {space.name for space in cluster.all(Namespace) if INJECT in space.annotations or INJECT in space.labels}
    return lambda pod: pod.namespace in marked or INJECT in pod.annotations


@diagnostic(
    code="KD6105",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Namespace, MutatingWebhookConfiguration, *WORKLOADS),
    when=without_proxy,
    among=may_wish,
    symptoms=("linkerd.io/inject", "linkerd-proxy"),
)
def linkerd_proxy_missing(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not without_proxy(pod):
        return
    namespace = cluster.get(Namespace, "", pod.namespace)
    if namespace is not None and namespace.labels.get(_WEBHOOKS) == "disabled":
        return
    own = pod.annotations.get(INJECT, "")
    by_space = namespace is not None and namespace.annotations.get(INJECT) in INJECTS
    if own not in INJECTS and (own or not by_space):
        if namespace is not None and not own and namespace.labels.get(INJECT) in INJECTS:
            yield from _by_label(namespace, cluster)
        return
    asker = pod if own in INJECTS or namespace is None else namespace
    wish = quote(asker, f"metadata.annotations[{INJECT}]", "requests a proxy")
    injectors = [one for one in cluster.all(MutatingWebhookConfiguration) if is_injector(one)]
    if injectors:
        yield _not_recreated(pod, injectors[0], wish, cluster)
    else:
        yield Finding(
            about=ref(asker) if asker is not pod else workload_of(pod, cluster),
            summary="requests Linkerd's proxy, but no injector of Linkerd is installed",
            evidence=(wish,),
            confidence=Confidence.CERTAIN,
            affects=(workload_of(pod, cluster),),
            fixes=(Fix("Install Linkerd, or remove the annotation"),),
            commands=(LOOK,),
        )


def _by_label(namespace: Namespace, cluster: Cluster) -> Iterator[Finding]:
    if not any(is_injector(one) for one in cluster.all(MutatingWebhookConfiguration)):
        return
    change = put(ref(namespace), ("metadata", "annotations", INJECT), namespace.labels[INJECT])
    yield Finding(
        about=ref(namespace),
        summary=f"has {INJECT} as a label, which has no effect: Linkerd's injector reads the annotation of this name",
        evidence=(quote(namespace, f"metadata.labels[{INJECT}]", "a label, not an annotation"),),
        confidence=Confidence.CERTAIN,
        fixes=(Fix("Set it as an annotation, then restart the workloads", command_line(change, namespace)),),
        commands=(LOOK,),
    )


def _not_recreated(pod: Pod, injector: MutatingWebhookConfiguration, wish: Evidence, cluster: Cluster) -> Finding:
    name = workload_of(pod, cluster)
    born, since = pod.metadata.creation_timestamp, injector.metadata.creation_timestamp
    older = born is not None and since is not None and born < since
    why = (
        "they are older than the injector"
        if older
        else "they were created before the annotation was set, or while the injector was down"
    )
    evidence: tuple[Evidence, ...] = (quote(injector, "metadata.name", "the injector"),)
    if older:
        evidence = (
            quote(pod, "metadata.creationTimestamp", "when the pod was created"),
            quote(injector, "metadata.creationTimestamp", "when the injector was created"),
        )
    return Finding(
        about=name,
        summary=f"the pods have no proxy of Linkerd: {why}",
        evidence=(wish, *evidence),
        confidence=Confidence.CERTAIN if older else Confidence.LIKELY,
        fixes=(restart(name, "Let the proxy be injected into new pods"),),
        commands=(
            Command(
                kubectl("get", "events", "--field-selector", "reason=InjectionSkipped", namespace=pod.namespace),
                "why the injector skipped pods",
            ),
            LOOK,
        ),
    )
