"""Folding symptoms under causes: one NotReady node with 187 stuck pods is one incident.

A finding explains another if its diagnostic declares so (`Explains`) and their objects stand in that relation
(`affects` leads from what the cause affects, every other from what it is about),
or if the other finding itself names the object that it blames (`because_of`): then what is found about that object, else
what affects it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kubedoctor.cluster.grammar.credentials import without_credentials
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.engine.catalogue import Catalogue
from kubedoctor.engine.report import CauseLink, Incident, ReportedFinding
from kubedoctor.findings.diagnostic import Explains
from kubedoctor.findings.relations import BLAMED, CauseRelation, Symptom, affects

Findings = dict[Ref, list[ReportedFinding]]
"""By an object that they are about, or that they affect."""
_OF_THE_CLUSTER = ("", "kube-system")
"""The namespaces of nodes and volumes, and of Kubernetes' own components."""


_CUTS_A_CIRCLE = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
"""Where a circle of causes is cut: a webhook refuses the pods that its own server needs (of a network plugin, of a node),
and changing its configuration is what a person can do at once."""


def fold(
    findings: tuple[ReportedFinding, ...], catalogue: Catalogue, snapshot: Snapshot
) -> tuple[tuple[Incident, ...], tuple[str, ...]]:
    """Incidents, worst first; a finding that no other explains is an incident of its own. Then the relations that failed, a
    sentence each."""
    family = Family(snapshot)
    problems: dict[str, None] = {}
    about: Findings = {}
    affecting: Findings = {}
    for finding in findings:
        for name in {family.top(affected) for affected in finding.affects}:
            affecting.setdefault(name, []).append(finding)
        for name in {finding.about, family.top(finding.about)}:
            about.setdefault(name, []).append(finding)
    explains = {diagnostic.code: diagnostic.explains for diagnostic in catalogue.diagnostics}
    graph = _Graph()
    parents = graph.parents
    first = tuple(finding for finding in findings if finding.about.kind not in _CUTS_A_CIRCLE)
    last = tuple(finding for finding in findings if finding.about.kind in _CUTS_A_CIRCLE)
    for symptoms in (first, last):
        for symptom in symptoms:
            graph.attach(symptom, _causes(symptom, (about, affecting), explains, catalogue.relations, family, problems))
        for symptom in symptoms:  # what is declared comes first, so that this decides no circle
            if symptom.id not in parents:
                graph.attach(symptom, _harming_what_is_blamed(symptom, affecting, family))
            if symptom.id not in parents:
                graph.attach(symptom, _reading_its_log(symptom, findings, family))
    children: dict[str, list[ReportedFinding]] = {}
    for finding in findings:
        children.setdefault(_line(finding.id, parents)[-1], []).append(finding)
    by_id = {finding.id: finding for finding in findings}
    incidents = [
        (_badness(by_id[root], members), _incident(root, members, graph)) for root, members in children.items()
    ]
    return tuple(incident for _, incident in sorted(incidents, key=lambda pair: pair[0])), tuple(problems)


class _Graph:
    """Which finding follows from which, along which relation; what else may explain it; where a circle was cut."""

    def __init__(self) -> None:
        self.parents: dict[str, str] = {}
        self.relations: dict[str, str] = {}
        self.candidates: dict[str, tuple[str, ...]] = {}
        self.circles: dict[str, tuple[str, ...]] = {}

    def attach(self, symptom: ReportedFinding, causes: Iterable[tuple[ReportedFinding, str]]) -> None:
        """The first cause that does not follow from the symptom itself; the others are candidates. One that does closes a
        circle, which is kept where a person can break it."""
        others: dict[str, None] = {}
        for cause, relation in causes:
            line = _line(cause.id, self.parents)
            if symptom.id in line:
                around = line[: line.index(symptom.id) + 1]
                # Another circle has no place to break it; two findings that explain each other say one thing twice.
                if symptom.about.kind in _CUTS_A_CIRCLE and len(around) > 2:
                    self.circles.setdefault(symptom.id, tuple(reversed(around)))
            elif symptom.id not in self.parents:
                self.parents[symptom.id] = cause.id
                self.relations[symptom.id] = relation
            else:
                others[cause.id] = None
        if others:
            self.candidates[symptom.id] = tuple(others)

    def link(self, id_: str) -> CauseLink:
        """Between a finding and what it follows from. A rival has another root."""
        root = _line(id_, self.parents)[-1]
        rivals = (name for name in self.candidates.get(id_, ()) if _line(name, self.parents)[-1] != root)
        return CauseLink(id_, self.parents[id_], self.relations[id_], tuple(rivals))


def _harming_what_is_blamed(
    symptom: ReportedFinding, affecting: Findings, family: Family
) -> Iterator[tuple[ReportedFinding, str]]:
    """A full quota prevents the pods of a Deployment, and so a Service has none."""
    for name in symptom.because_of:
        if name.kind in ("Pod", *WORKLOAD_KINDS):
            yield from (
                (cause, affects.name)
                for cause in affecting.get(family.top(name), ())
                if cause.id != symptom.id and cause.severity.rank <= symptom.severity.rank
            )


_LOG = "log["
_LONG_MESSAGE = 40
"""So many characters are no chance."""


def _reading_its_log(
    symptom: ReportedFinding, findings: Iterable[ReportedFinding], family: Family
) -> Iterator[tuple[ReportedFinding, str]]:
    """What is found about another object by the log that this finding quotes of its own pods, or by the same message in the
    status of an object, knows more of it."""
    mine = family.top(symptom.about)
    logs = {log for log in _logs_of(symptom) if family.top(log[0]) == mine}
    lines = [fact.text.replace("\\", "") for fact in symptom.evidence if fact.path.startswith(_LOG)]
    for cause in findings if logs else ():
        if cause.severity.rank > symptom.severity.rank or family.top(cause.about) == mine:
            continue
        if logs & _logs_of(cause) or any(_has_a_message_of(cause, line) for line in lines):
            yield cause, "log"


def _has_a_message_of(finding: ReportedFinding, line: str) -> bool:
    """Whether a line of a log has the beginning of a message that a condition or event has, which a finding quotes."""
    return any(
        fact.path.endswith("message") and len(fact.text) >= _LONG_MESSAGE and fact.text[:_LONG_MESSAGE] in line
        for fact in finding.evidence
    )


def _logs_of(finding: ReportedFinding) -> set[tuple[Ref, str]]:
    return {
        (fact.object, fact.path.rpartition("[")[0])
        for fact in finding.evidence
        if fact.path.startswith(_LOG) and isinstance(fact.object, Ref)
    }


def _incident(root: str, members: list[ReportedFinding], graph: _Graph) -> Incident:
    consequences = tuple(finding.id for finding in members if finding.id != root)
    return Incident(
        root,
        consequences,
        tuple(graph.parents[id_] for id_ in consequences),
        links=tuple(map(graph.link, consequences)),
        circle=graph.circles.get(root, ()),
    )


def _badness(root: ReportedFinding, members: list[ReportedFinding]) -> tuple[Any, ...]:
    """Sort key of an incident. For equal severity, cluster components come first: everything else may depend on
    them."""
    worst = min(finding.severity.rank for finding in members)
    own = root.about.namespace in _OF_THE_CLUSTER
    surest = (root.confidence.rank, -len(members))
    return (worst, root.severity.rank, not own, *surest, root.code, root.about, root.aspect)


def _line(start: str, parents: dict[str, str]) -> list[str]:
    """A finding and the causes above it, the root last."""
    line = [start]
    while (above := parents.get(line[-1])) is not None:
        line.append(above)
    return line


def _causes(
    symptom: ReportedFinding,
    indexes: tuple[Findings, Findings],
    explains: dict[str, tuple[Explains, ...]],
    relations: Iterable[CauseRelation],
    family: Family,
    problems: dict[str, None],
) -> Iterator[tuple[ReportedFinding, str]]:
    about, affecting = indexes
    for relation in (_BLAMED, *relations):
        index = affecting if relation is affects else about
        for name in _names(relation, symptom, family, problems):
            for cause in index.get(name, ()):
                if cause.id == symptom.id:
                    continue
                if _explains(relation, explains.get(cause.code, ()), symptom.code):
                    yield cause, relation.name


def _explains(relation: CauseRelation, declared: Iterable[Explains], code: str) -> bool:
    """Whether a diagnostic declares that its findings explain a code along the relation. What a symptom blames explains it
    without being declared; a diagnostic that declares it explains only the codes that it names."""
    along = [one for one in declared if one.relation == relation.name]
    if relation is _BLAMED and not along:
        return True
    return any(not one.codes or code in one.codes for one in along)


def _names(relation: CauseRelation, symptom: Symptom, family: Family, problems: dict[str, None]) -> tuple[Ref, ...]:
    """The objects that a relation leads to, each once. A relation of a package that raises must not break the
    report."""
    try:
        return tuple(dict.fromkeys(relation(symptom, family)))
    except Exception as error:  # noqa: BLE001  # a third-party function may raise anything
        problems[without_credentials(f"the relation {relation.name} failed: {type(error).__name__}: {error}")] = None
        return ()


def _blamed(symptom: Symptom, family: Family) -> Iterator[Ref]:
    """The objects that the symptom names in `because_of`, and the pods and workloads of a Service among them."""
    for name in symptom.because_of:
        yield name
        yield family.top(name)
        service = family.snapshot.get(name)
        if isinstance(service, Service):
            yield from family.behind(service)


_BLAMED = CauseRelation(BLAMED, _blamed)
"""Comes before any other relation."""
