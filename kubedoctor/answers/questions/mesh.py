"""What does the service mesh do for this workload?"""

from __future__ import annotations

from kubedoctor.answers.mesh.mesh_sheet import mesh_sheet
from kubedoctor.answers.question import Choices, question
from kubedoctor.answers.sheet import Sheet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.cluster.seen.reading import Cluster


@question(
    help="what a service mesh does for a workload: sidecar, routes, mutual TLS of each port, policies, and what fails",
    kinds=("Deployment", "Pod", *sorted(WORKLOAD_KINDS - {"Deployment", "Pod"})),
    area="mesh",
)
def mesh(subject: Ref, choices: Choices, cluster: Cluster) -> Sheet:
    return mesh_sheet(subject, cluster)
