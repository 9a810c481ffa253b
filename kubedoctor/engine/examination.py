"""Running checks: in rounds over the fetched objects (focus), or once over everything (scan)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.text import with_article
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.foresight import with_foreseen
from kubedoctor.cluster.relations.related import Related, related_objects
from kubedoctor.cluster.relations.workloads import controller_of
from kubedoctor.cluster.seen.reading import Cluster, event_want
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import Gap, LogWant, NotCollected, Want
from kubedoctor.engine.catalogue import Catalogue
from kubedoctor.engine.checks import Results, is_among, may_apply, run_check
from kubedoctor.engine.health import left_open, unseen_trouble
from kubedoctor.engine.report import Incident, NotChecked, Report, ReportedFinding
from kubedoctor.engine.sweep import Sweep
from kubedoctor.findings import Confidence, Diagnostic, Finding

Gather = Callable[[frozenset[Want | LogWant]], None]
MOST_SCAN_ROUNDS = 4  # A crash whose log names a Service takes two.
MOST_ROUNDS = 12  # A safety limit: a check that requests new objects in every round is broken.


def focus(catalogue: Catalogue, subject: Ref, snapshot: Snapshot, gather: Gather) -> Report:
    """Examine one object and what it depends on, fetching in rounds what the checks request.

    The subject itself must be in the snapshot or fetchable; a missing subject gives an empty report.
    """
    results, rounds = _in_rounds(catalogue, (subject,), snapshot, gather)
    if not results.run and snapshot.get(subject) is not None:
        results.not_checked.add(NotChecked("", subject, _no_diagnostic_of(subject.kind)))
        events = event_want(subject)
        if not (snapshot.covers(events) or snapshot.refusal(events) or snapshot.limitation(events)):
            gather(frozenset((events,)))
            rounds += 1
    report = _report(catalogue, snapshot, results, subject=subject, rounds=rounds)
    if subject.kind == "Node":
        from kubedoctor.engine.nodes import of_the_node_itself

        return of_the_node_itself(report)
    return report


def focus_all(catalogue: Catalogue, subjects: tuple[Ref, ...], snapshot: Snapshot, gather: Gather) -> Report:
    """Examine several objects and what they depend on, like `focus`; one log is read for all pods of a workload."""

    def gather_fewer(wants: frozenset[Want | LogWant]) -> None:
        gather(_one_log_per_workload(set(wants), snapshot))

    results, rounds = _in_rounds(catalogue, subjects, snapshot, gather_fewer)
    for kind in sorted({name.kind for name in subjects}):
        if not catalogue.about(kind):
            results.not_checked.add(NotChecked("", None, _no_diagnostic_of(kind)))
    report = _report(catalogue, snapshot, results, subject=None, rounds=rounds)
    namespaces = tuple(sorted({name.namespace for name in subjects if name.namespace}))
    return msgspec.structs.replace(report, subjects=subjects, namespaces=namespaces)


def _no_diagnostic_of(kind: str) -> str:
    short = kind.partition(".")[0]
    return f"no diagnostic checks {with_article(short)} itself; scan shows its effect on other objects"


def _in_rounds(catalogue: Catalogue, start: tuple[Ref, ...], snapshot: Snapshot, gather: Gather) -> tuple[Results, int]:
    """The results of the checks about some objects, related objects and blamed objects, and the number of rounds of
    fetching."""
    passes = rounds = 0
    results_by_check: dict[tuple[str, Ref], Results] = {}
    while True:
        passes += 1
        wants: set[Want | LogWant] = set()
        gaps: set[Gap] = set()
        blamed = tuple(dict.fromkeys(name for name in _blamed(results_by_check) if name not in start))
        subjects = _subjects(catalogue, start, blamed, snapshot, wants, gaps)
        for subject in subjects:
            _examine_once(catalogue, subject, snapshot, results_by_check, wants, asked=ref(subject) in start)
        if passes == MOST_ROUNDS or not (wants or set(_blamed(results_by_check)) - {*start, *blamed}):
            break
        if wants:
            rounds += 1
            gather(with_foreseen(wants, snapshot))
    results = Results(seen=list(subjects))
    names = {ref(subject) for subject in subjects}
    for (_, about), part in results_by_check.items():
        if about in names:
            results.add(part)
    results.not_checked |= {NotChecked("", start[0], str(gap)) for gap in gaps}
    for want in sorted(wants, key=str):
        results.not_checked.add(NotChecked("", start[0], f"{want}: not fetched after {rounds} rounds"))
    return results, rounds


def scan(
    catalogue: Catalogue,
    snapshot: Snapshot,
    gather: Gather,
    namespace: str = "",
    *,
    picked: Callable[[KubernetesObject], bool] | None = None,
    heed: Callable[[], None] = lambda: None,
) -> Report:
    """Run every check over every subject; what they miss is fetched in a few more rounds, the logs in the first of them,
    and the checks that missed something run again.

    With a namespace, subjects of other namespaces are left out; cluster-scoped ones are kept, and what a finding
    blames elsewhere is examined as in a focus. `picked` leaves out further subjects. `heed` is called between checks; what it
    raises ends the scan.
    """
    results = Results()

    def wanted(obj: KubernetesObject) -> bool:
        return (not namespace or obj.metadata.namespace in ("", namespace)) and (picked is None or picked(obj))

    keep = wanted if namespace or picked else None
    sweep = Sweep(catalogue, snapshot, results, heed)
    wants = sweep.run(namespace, keep)
    unread: set[Want | LogWant] = set()
    rounds = 0
    while wants and rounds < MOST_SCAN_ROUNDS:
        gather(_one_log_per_workload(wants, snapshot))
        rounds += 1
        snapshot.exhausted = True
        try:
            unread = sweep.again()
        finally:
            snapshot.exhausted = False
        # A log names Services of other namespaces, which a scan of one namespace has not listed; one kubelet is asked for its
        # volumes before the others.
        wants = {want for want in unread - wants if isinstance(want, Want) or want.node}
    for want in (want for want in unread if isinstance(want, Want) or not want.node):  # volumes' numbers only help
        results.not_checked.add(NotChecked("", None, f"{want}: could not be read"))
    results.seen += filter(wanted, _all_of(snapshot, namespace))
    if namespace and (elsewhere := _blamed_outside(namespace, results)):
        outside, further = _in_rounds(catalogue, elsewhere, snapshot, gather)
        results.add(outside)
        rounds += further
    return _report(catalogue, snapshot, results, subject=None, rounds=rounds, namespace=namespace, whole=picked is None)


def _all_of(snapshot: Snapshot, namespace: str) -> Iterator[KubernetesObject]:
    """Every object except events; with a namespace, no other Namespace."""
    for kind in snapshot.kinds():
        if kind == "Namespace" and namespace:
            yield from (obj for obj in snapshot.of_kind(kind) if obj.metadata.name == namespace)
        elif kind != "Event":
            yield from snapshot.of_kind(kind)


def _blamed_outside(namespace: str, results: Results) -> tuple[Ref, ...]:
    blamed = {name for _, finding, _ in results.found for name in finding.because_of}
    return tuple(sorted(name for name in blamed if name.namespace not in ("", namespace)))


def _subjects(
    catalogue: Catalogue,
    asked: tuple[Ref, ...],
    blamed: tuple[Ref, ...],
    snapshot: Snapshot,
    wants: set[Want | LogWant],
    gaps: set[Gap],
) -> tuple[KubernetesObject, ...]:
    """The objects and those related to each, as far as they were fetched."""
    cluster = Cluster(snapshot)
    objects: dict[Ref, KubernetesObject] = {}
    of_blamed = tuple(relation for relation in catalogue.related if not relation.asked_only)
    for root in (*asked, *blamed):
        relations = catalogue.related if root in asked else of_blamed
        for name in (root, *_related_names(relations, root, cluster, wants)):
            try:
                obj = cluster.maybe.get_ref(name)
            except NotCollected as missing:
                wants.update(missing.wants)
                continue
            if obj is not None:
                objects[name] = obj
    gaps |= cluster.gaps
    return tuple(objects.values())


def _related_names(
    relations: tuple[Related, ...], subject: Ref, cluster: Cluster, wants: set[Want | LogWant]
) -> tuple[Ref, ...]:
    try:
        obj = cluster.maybe.get_ref(subject)
    except NotCollected as missing:
        wants.update(missing.wants)
        return ()
    return related_objects(obj, cluster, wants, relations) if obj is not None else ()


def _blamed(results_by_check: dict[tuple[str, Ref], Results]) -> Iterator[Ref]:
    """The objects that the findings so far blame; they are examined too, so that the cause of a cause is found."""
    for part in results_by_check.values():
        for _, finding, _ in part.found:
            yield from finding.because_of


def _examine_once(
    catalogue: Catalogue,
    obj: KubernetesObject,
    snapshot: Snapshot,
    results_by_check: dict[tuple[str, Ref], Results],
    wants: set[Want | LogWant],
    *,
    asked: bool,
) -> None:
    """Run the checks about one object that have not completed yet; of an object that was not asked for those that a scan
    would run too."""
    about = ref(obj)
    for diagnostic in catalogue.about_object(obj):
        if (diagnostic.id, about) in results_by_check:
            continue
        part = Results(run={diagnostic.id})
        try:
            if may_apply(diagnostic, obj) and (asked or is_among(diagnostic, obj, snapshot)):
                run_check(diagnostic, obj, Cluster(snapshot), part)
        except NotCollected as missing:
            wants.update(missing.wants)
            continue
        results_by_check[(diagnostic.id, about)] = part


def _one_log_per_workload(wants: set[Want | LogWant], snapshot: Snapshot) -> frozenset[Want | LogWant]:
    """Pods of one workload fail alike: in a scan one log is read for all of them."""
    chosen: dict[tuple[Ref, str, bool], LogWant] = {}
    other_wants: set[Want | LogWant] = set()
    for want in sorted(wants, key=str):
        if not isinstance(want, LogWant):
            other_wants.add(want)
            continue
        name = Ref("Pod", want.namespace, want.pod)
        pod = snapshot.get(name)
        workload = (controller_of(pod) if pod is not None else None) or name
        if chosen.setdefault((workload, want.container, want.previous), want) is not want:
            snapshot.add_log(want, None)
    return frozenset(other_wants | set(chosen.values()))


def _report(
    catalogue: Catalogue,
    snapshot: Snapshot,
    results: Results,
    *,
    subject: Ref | None,
    rounds: int,
    namespace: str = "",
    whole: bool = False,
) -> Report:
    findings = tuple(_merged(results.found))
    incidents: tuple[Incident, ...] = ()
    failed: tuple[str, ...] = ()
    if findings:
        from kubedoctor.engine.concluding import concluded  # what is healthy needs none of it

        findings, incidents, failed = concluded(findings, catalogue, snapshot)
    left = left_open(results.seen, findings, snapshot, subject, unseen_trouble(snapshot, namespace) if whole else ())
    return Report(
        taken_at=snapshot.taken_at,
        source=snapshot.source,
        subject=subject,
        namespaces=_scope(subject, namespace, snapshot),
        incidents=incidents,
        findings=findings,
        not_checked=tuple(
            sorted(results.not_checked, key=lambda entry: (entry.diagnostic, str(entry.about or ""), entry.why))
        ),
        diagnostics_run=len(results.run),
        objects_seen=snapshot.count(),
        requests=snapshot.requests,
        rounds=rounds,
        problems=(*catalogue.problems, *failed, *sorted(snapshot.problems)),
        tracebacks=catalogue.tracebacks,
        unexplained=left.unexplained,
        not_ready=left.not_ready,
    ).in_its_cluster()


def _scope(subject: Ref | None, namespace: str, snapshot: Snapshot) -> tuple[str, ...]:
    if subject is not None:
        return (subject.namespace,) if subject.namespace else ()
    return (namespace,) if namespace else snapshot.namespaces()


def _merged(results: Iterable[tuple[Diagnostic[Any], Finding, frozenset[Gap]]]) -> list[ReportedFinding]:
    """One finding for each group that says the same about the same object, worst first, in a stable order."""
    groups: dict[tuple[str, Ref, str], list[ReportedFinding]] = {}
    for diagnostic, finding, gaps in results:
        reported = _reported(diagnostic, finding, gaps)
        groups.setdefault((reported.code, reported.about, reported.aspect), []).append(reported)
    merged = []
    for members in groups.values():
        if len(members) > 1:
            members.sort(
                key=lambda reported: (
                    reported.confidence.rank,
                    reported.summary,
                    str(reported.evidence),
                    reported.affects,
                )
            )
        affects = sorted({name for reported in members for name in reported.affects})
        gap_texts = sorted({gap for reported in members for gap in reported.gaps})
        blamed = sorted({name for reported in members for name in reported.because_of})
        merged.append(
            msgspec.structs.replace(members[0], affects=tuple(affects), because_of=tuple(blamed), gaps=tuple(gap_texts))
        )
    return sorted(
        merged,
        key=lambda reported: (
            reported.severity.rank,
            reported.confidence.rank,
            reported.code,
            reported.about,
            reported.aspect,
        ),
    )


def _reported(diagnostic: Diagnostic[Any], finding: Finding, gaps: frozenset[Gap]) -> ReportedFinding:
    confidence = finding.confidence
    # Events expire: what is concluded from some of them counts on no others.
    if confidence is Confidence.CERTAIN and any(gap.partial and gap.kind != "Event" for gap in gaps):
        confidence = Confidence.LIKELY
    return ReportedFinding(
        id=_id(diagnostic.code, finding),
        code=diagnostic.code,
        diagnostic=diagnostic.id,
        severity=finding.severity or diagnostic.severity,
        confidence=confidence,
        about=finding.about,
        summary=finding.summary,
        evidence=finding.evidence,
        detail=finding.detail,
        fixes=finding.fixes,
        commands=finding.commands,
        would_disprove=finding.would_disprove,
        gaps=tuple(sorted(str(gap) for gap in gaps)),
        also_known_as=diagnostic.also_known_as,
        affects=finding.affects,
        because_of=finding.because_of,
        aspect=finding.aspect,
    )


def _id(code: str, finding: Finding) -> str:
    """The same for the same diagnostic, object and aspect in every report, so that a fault can be followed."""
    from hashlib import blake2b  # what is healthy needs none

    name = f"{finding.about}\n{finding.aspect}"
    return f"{code}-{blake2b(name.encode(), digest_size=5).hexdigest()}"
