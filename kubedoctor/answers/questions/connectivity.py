"""Which workloads may connect to which?"""

from __future__ import annotations

from kubedoctor.answers.connectivity.connectivity_sheet import connectivity_sheet
from kubedoctor.answers.connectivity.peers import MatrixScope
from kubedoctor.answers.question import Choices, question
from kubedoctor.answers.sheet import Sheet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.cluster.seen.reading import Cluster


@question(
    help="which workloads may connect to which, and on which ports, by the network policies of all namespaces",
    key="m",
    of_namespace=("NetworkPolicy", *sorted(WORKLOAD_KINDS)),
)
def connectivity(subject: Ref, choices: Choices, cluster: Cluster) -> Sheet:
    return connectivity_sheet(MatrixScope(subject.name), cluster)
