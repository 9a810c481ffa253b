"""How is the control plane set up?"""

from __future__ import annotations

from kubedoctor.answers.control_plane.sheet import control_plane_sheet
from kubedoctor.answers.question import Choices, question
from kubedoctor.answers.sheet import Sheet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster


@question(
    help="components and leaders of the control plane; audit, encryption, sign-in; mode of kube-proxy",
    kinds=(),
    area="control-plane",
)
def control_plane(_subject: Ref, _: Choices, cluster: Cluster) -> Sheet:
    return control_plane_sheet(cluster)
