"""What do the claims hold, who uses them, and what is lost with them?"""

from __future__ import annotations

from kubedoctor.answers.question import Choices, question
from kubedoctor.answers.sheet import Sheet
from kubedoctor.answers.volumes.sheet import volumes_sheet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster


@question(help="claims and volumes: how full, who uses them, what is deleted with them, what is left behind", kinds=())
def volumes(subject: Ref, _: Choices, cluster: Cluster) -> Sheet:
    return volumes_sheet(subject.name, cluster)
