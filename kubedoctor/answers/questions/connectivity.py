"""Which workloads may connect to which?"""

from __future__ import annotations

from kubedoctor.answers.connectivity.connectivity_sheet import connectivity_sheet
from kubedoctor.answers.question import Choices, question
from kubedoctor.answers.sheet import Sheet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster


@question(help="which workloads may connect to which, and on which ports, by the network policies of all namespaces")
def connectivity(subject: Ref, choices: Choices, cluster: Cluster) -> Sheet:
    return connectivity_sheet(subject.name, cluster)
