"""The sidecar injectors: the revisions that they serve, and the label that selects them."""

from __future__ import annotations

from kubedoctor.cluster import Cluster, Namespace, Pod
from kubedoctor.cluster.changes import Step, edit
from kubedoctor.findings import Command, Evidence, Fix, command_line, has_path, quote, ref
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.injection import INJECT, INJECTION, REVISION, TAG, Call
from kubedoctor.replay.mesh.wishes import served

LOOK = Command(
    "kubectl get mutatingwebhookconfigurations -L istio.io/rev -L istio.io/tag",
    "the sidecar injectors and their revisions",
)


def serves(call: Call) -> Evidence:
    """The revision or tag that an injector serves."""
    paths = (f"metadata.labels[{TAG}]", f"metadata.labels[{REVISION}]", "metadata.name")
    label_path = next((path for path in paths if has_path(call.configuration, path)), "webhooks[0].name")
    return quote(
        call.configuration, label_path, "deactivated" if call.is_deactivated else "revision that this injector serves"
    )


def wrong_label(labels: dict[str, str], calls: tuple[Call, ...]) -> str:
    """Why no injector serves a namespace with these labels."""
    if not calls:
        return "the namespace requests Istio sidecars, but no injector is installed"
    if all(call.is_deactivated for call in calls):
        return "the namespace requests Istio sidecars, but every injector is deactivated"
    value = labels.get(INJECTION)
    if value is None:
        return f"no injector serves Istio revision {labels[REVISION]}{_served(calls)}"
    if value != "enabled":
        return f"label {INJECTION}={value} has no effect: the value must be enabled"
    return f"no injector serves label {INJECTION}=enabled{_served(calls)}"


def why_not_called(pod: Pod, labels: dict[str, str], wish: Evidence, calls: tuple[Call, ...]) -> str:
    """Why no injector is called for a pod that requests a sidecar itself, in a namespace with these labels."""
    asks = "the pod requests an Istio sidecar"
    if "annotations" in wish.path and calls:
        return f"{asks} by annotation {INJECT}, but the webhook selects by the label of that name only"
    if labels.get(INJECTION) == "disabled":
        return f"{asks}, but its namespace disables injection: {INJECTION}=disabled"
    if not calls:
        return f"{asks}, but no injector is installed"
    if REVISION in pod.labels:
        revision = pod.labels[REVISION]
        return f"the pod requests Istio revision {revision}, which no injector serves{_served(calls)}"
    return f"{asks}, but no injector selects it{_served(calls)}"


def _served(calls: tuple[Call, ...]) -> str:
    names = served(calls)
    return f"; available: {', '.join(names)}" if names else ""


def relabel(namespace: Namespace, label: str, calls: tuple[Call, ...], pod: Pod, cluster: Cluster) -> tuple[Fix, ...]:
    """The change of the namespace's label, checked against the webhooks of the cluster."""
    key, _, value = label.partition("=")
    dropped = key == REVISION and INJECTION in namespace.labels
    steps = [Step(("metadata", "labels", key), value)]
    steps += [Step(("metadata", "labels", INJECTION), remove=True)] if dropped else []
    change = edit(ref(namespace), *steps)
    fix = Fix(f"Set label {label} on the namespace, then restart its workloads", command_line(change))

    def injected(after: Cluster) -> bool:
        labelled = after.get_ref(ref(namespace))
        labels = labelled.labels if labelled is not None else {}
        return any(call.calls for call in injection.calls([call.configuration for call in calls], labels, pod.labels))

    from kubedoctor.answers.proof import prove, proven  # most pods need no fix

    return (proven(fix, prove(change, cluster, injected)),)
