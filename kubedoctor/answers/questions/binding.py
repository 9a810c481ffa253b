"""Which volume does this claim get, and what keeps every other one from it?"""

from __future__ import annotations

from kubedoctor.answers.binding.claim_sheet import claim_sheet
from kubedoctor.answers.binding.volume_sheet import volume_sheet
from kubedoctor.answers.question import Choices, question
from kubedoctor.answers.sheet import Sheet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster


@question(
    help="which volume a claim gets, and what keeps every other volume from it; who holds a volume",
    kinds=("PersistentVolumeClaim", "PersistentVolume"),
    key="n",
    area="storage",
)
def binding(subject: Ref, choices: Choices, cluster: Cluster) -> Sheet:
    return volume_sheet(subject, cluster) if subject.kind == "PersistentVolume" else claim_sheet(subject, cluster)
