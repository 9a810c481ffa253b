"""What does a name resolve to in this pod?"""

from __future__ import annotations

from kubedoctor.answers.question import Argument, Choices, question
from kubedoctor.answers.resolve.resolve_sheet import resolve_sheet
from kubedoctor.answers.sheet import Sheet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.cluster.seen.reading import Cluster


@question(
    help="what a name resolves to in a pod: its resolv.conf, each query, who answers, and how Go, glibc and musl differ",
    kinds=("Pod", *sorted(WORKLOAD_KINDS - {"Pod"})),
    arguments=(Argument("name", "NAME", "the name as the program has it: db, db.data, api.example.com"),),
    area="dns",
    subject_after=True,
)
def resolve(subject: Ref, choices: Choices, cluster: Cluster) -> Sheet:
    return resolve_sheet(subject, choices.one("name"), cluster)
