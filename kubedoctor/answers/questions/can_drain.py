"""Can this node be drained?"""

from __future__ import annotations

from kubedoctor.answers.draining.drained_node import drained_node
from kubedoctor.answers.draining.sheet import drain_sheet
from kubedoctor.answers.question import Choices, question
from kubedoctor.answers.sheet import Sheet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster


@question(
    help="which pods leave a drained node, which budget or pod blocks, and where each pod would run next",
    kinds=("Node",),
)
def can_drain(subject: Ref, choices: Choices, cluster: Cluster) -> Sheet:
    return drain_sheet(drained_node(subject, cluster), cluster)
