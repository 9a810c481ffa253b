"""Can this pod reach that Service, pod or address, and if not, what decides?"""

from __future__ import annotations

from kubedoctor.answers.connectivity.connectivity_sheet import connectivity_sheet
from kubedoctor.answers.connectivity.from_workloads import from_workloads
from kubedoctor.answers.connectivity.peers import MatrixScope
from kubedoctor.answers.question import Argument, Choices, Option, question
from kubedoctor.answers.reach.reach_sheet import reach_sheet
from kubedoctor.answers.sheet import Sheet
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.problems import NoSuchObject


@question(
    help="whether a pod, workload, namespace, node or address can connect to a Service, pod, name or address, hop by hop, and what would allow it",
    kinds=("Pod", *sorted({"Namespace", "Node", *WORKLOAD_KINDS} - {"Pod"})),
    arguments=(
        Argument("destination", "B:PORT", "db:5432, db.data:5432/UDP, 10.0.0.1:80, pod/db-0:80, ingress/web or a URL"),
    ),
    options=(
        Option("from-everywhere", "", "a table of every workload that may, or may not, connect to B", subjectless=True),
        Option("matrix", "", "all workloads with all others instead; -o svg draws it", alone=True),
        Option("between", "NAMESPACE NAMESPACE", "all workloads of one namespace with those of another", alone=True),
    ),
    addresses=True,
    area="networking",
)
def reach(subject: Ref, choices: Choices, cluster: Cluster) -> Sheet:
    everywhere = bool(choices.one("from-everywhere"))
    between = choices.all("between")
    if between or choices.one("matrix"):
        pair = (between[0], between[1]) if between else None
        for name in between:
            if cluster.maybe.get(Namespace, "", name) is None and cluster.has_all(Namespace, ""):
                raise NoSuchObject(f"Namespace {name} not found", "", ())
        return connectivity_sheet(MatrixScope(subject.name, everywhere, pair), cluster)
    if subject.kind == "Namespace":
        return from_workloads(subject.name, choices.one("destination"), cluster, everywhere=everywhere)
    return reach_sheet(subject, choices.one("destination"), cluster, everywhere=everywhere)
