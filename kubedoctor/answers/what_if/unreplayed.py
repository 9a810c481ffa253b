"""Changes after which controllers delete far more than what the command names, so that a replay cannot say that nothing breaks."""

from __future__ import annotations

from kubedoctor.answers.what_if.words import UnreadChange
from kubedoctor.cluster.changes import Change
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.grammar.tolerations import untolerated
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.triage import finished


def refuse_unreplayed(change: Change, before: Cluster, after: Snapshot) -> None:
    """Raises UnreadChange where a namespace, a definition of a kind, or a node with pods is deleted, or where a taint evicts
    pods (`pkg/controller/namespace`, `podgc`, `tainteviction`, v1.37). Raises as reads do."""
    for name in change.objects:
        obj = before.get_ref(name)
        gone = obj is not None and after.get(name) is None
        if gone and name.kind == "Namespace":
            raise UnreadChange(f"everything in {name.title} is deleted with it, and that is not replayed")
        if gone and name.kind == "CustomResourceDefinition":
            raise UnreadChange(f"all objects of the kind are deleted with {name.title}, and that is not replayed")
        if isinstance(obj, Node):
            _refuse_evictions(name, obj, before, after)


def _refuse_evictions(name: Ref, node: Node, before: Cluster, after: Snapshot) -> None:
    pods = [pod for pod in before.all(Pod) if pod.spec.node_name == name.name and not finished(pod)]
    left = after.get(name)
    if isinstance(left, Node):
        known = tuple(node.spec.taints or ())
        new = [taint for taint in left.spec.taints or () if taint not in known]
        pods = [pod for pod in pods if untolerated(pod.spec.tolerations, new, ("NoExecute",)) is not None]
    if pods:
        does = "would evict" if isinstance(left, Node) else "would delete"
        raise UnreadChange(
            f"it {does} {counted(len(pods), 'pod')} on {name.title}, and that is not replayed; kubedoctor can-drain {name.name}"
            " answers whether they find room elsewhere"
        )
