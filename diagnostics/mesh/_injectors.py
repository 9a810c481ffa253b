"""The sidecar injectors: the revisions that they serve, and the label that selects them."""

from __future__ import annotations

from kubedoctor.cluster import Cluster, Namespace, Pod
from kubedoctor.cluster.changes import Step, edit
from kubedoctor.findings import Command, Evidence, Fix, command_line, has_path, quote, ref
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.injection import INJECTION, REVISION, TAG, Call

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
