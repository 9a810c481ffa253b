"""Where can this pod run, and why not elsewhere?"""

from __future__ import annotations

from kubedoctor.answers.placement.placement import Placement, PlacementOutcome, place
from kubedoctor.answers.placement.pod_changes import PodChangeError
from kubedoctor.answers.placement.sheet import placement_sheet
from kubedoctor.answers.question import Choices, Option, question
from kubedoctor.answers.sheet import Sheet
from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.problems import NoSuchObject, UsageProblem


def _unanswered(subject: Ref, cluster: Cluster) -> Sheet:
    return placement_sheet(Placement(subject, PlacementOutcome.UNKNOWN, cluster.taken_at))


@question(
    help="why each node refuses a Pending pod, and the smallest changes that are proven to place it",
    kinds=("Pod", *sorted(WORKLOAD_KINDS)),
    options=(
        Option("node", "NODE", "only this node, in full"),
        Option(
            "what-if",
            "CHANGE",
            "try the pod with a change: requests.cpu=800m, limits.memory=1Gi, nodeSelector.zone=a, "
            "toleration=gpu=true:NoSchedule",
            repeatable=True,
        ),
    ),
    key="n",
    area="scheduling",
    unanswered=_unanswered,
)
def why_pending(subject: Ref, choices: Choices, cluster: Cluster) -> Sheet:
    try:
        placement = place(subject, cluster, choices.all("what-if"))
    except PodChangeError as error:
        raise UsageProblem(f"--what-if: {error}") from None
    node = choices.one("node")
    if node:
        _check_node(node, placement)
    return placement_sheet(placement, node)


def _check_node(name: str, placement: Placement) -> None:
    last = placement.last
    if last is None or name in last.state.node_by_name:
        return
    node_names = [node.name for node in last.state.nodes]
    raise NoSuchObject(f"there is no node {name}", "", nearest_word(name, node_names) or tuple(node_names[:3]))
