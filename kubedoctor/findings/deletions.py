"""What finalizers wait for, in words, and the fixes for an object that they keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kubedoctor.cluster.changes import drop
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.findings.commands import command_line
from kubedoctor.findings.model import Effect, Fix

WAITS_FOR: Final[Mapping[str, str]] = {
    "kubernetes.io/pvc-protection": "a pod still mounts it",
    "kubernetes.io/pv-protection": "a claim is still bound to it",
    "foregroundDeletion": "the objects that it owns must be deleted first",
    "customresourcecleanup.apiextensions.k8s.io": "objects of this kind must be deleted first",
    "batch.kubernetes.io/job-tracking": "the Job controller has not counted the pod yet",
    "service.kubernetes.io/load-balancer-cleanup": "the load balancer of the cloud must be deleted first",
    "karpenter.sh/termination": "the node must be drained first",
}


def finalizers_in_words(obj: KubernetesObject) -> str:
    """The finalizers of an object, each with what it waits for where that is known: `finalizer foregroundDeletion (…)`."""
    names = obj.metadata.finalizers or ()
    explained = (f"{name} ({WAITS_FOR[name]})" if name in WAITS_FOR else name for name in names)
    return f"{'finalizer' if len(names) == 1 else 'finalizers'} {', '.join(explained)}"


def remove_finalizers(obj: KubernetesObject) -> tuple[Fix, ...]:
    """Let the controller do its work; by hand only where no finalizer is Kubernetes' own, because those protect what is
    in use."""
    names = obj.metadata.finalizers or ()
    foreign = [name for name in names if name not in WAITS_FOR]
    if not foreign:
        return (Fix("Remove what the finalizer waits for; Kubernetes then removes it by itself"),)
    plural = "finalizer" if len(foreign) == 1 else "finalizers"
    repair = Fix(f"Start or repair the controller that owns {plural} {', '.join(foreign)}")
    if len(foreign) < len(names):
        return (repair,)
    line = command_line(drop(ref(obj), ("metadata", "finalizers")), obj)
    summary = f"Remove the {plural} by hand, only if that controller never returns: its cleanup is then skipped"
    return (repair, Fix(summary, line, Effect.CHANGES))
