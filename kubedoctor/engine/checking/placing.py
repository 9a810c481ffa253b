"""Findings with their place in the files, and in words that fit what was not applied yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from kubedoctor.cluster.kinds.manifests import GROUP
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.manifests import FileDocument, Place
from kubedoctor.cluster.seen.quoting import Evidence
from kubedoctor.engine.checking.surroundings import NO_CLUSTER
from kubedoctor.engine.report import Incident, Report, ReportedFinding
from kubedoctor.findings import Effect

_OF_THE_REPLAY: Final = "atches the scheduler's own message"
"""The message of pods that do not exist yet is the replay's."""
_JOINED: Final = frozenset(("Service", "Pod", "EndpointSlice"))
"""Kinds of which the objects of the files contradict each other whatever else the cluster has: a Service has the name that an
Ingress gives, or selects these pods. Rules that add up, such as network policies, are none of them."""
_TEMPLATES: Final = {"Pod": "", "CronJob": "spec.jobTemplate.spec.template."}
"""Where an object has the template of its pods; elsewhere in `spec.template`."""


def located(report: Report, documents: Mapping[Ref, FileDocument], made: Mapping[Ref, Ref], *, offline: bool) -> Report:
    """documents: by the object that they describe, and by their manifest. made: what controllers would create, with the
    object that it comes from."""
    kept = [finding for finding in report.findings if not (offline and _rests_on_the_unseen(finding, documents, made))]
    findings = tuple(_located(finding, documents, made, offline=offline) for finding in kept)
    names = {finding.id for finding in findings}
    return replace(report, findings=findings, incidents=tuple(_of(report.incidents, names)))


def _of(incidents: tuple[Incident, ...], names: set[str]) -> Iterator[Incident]:
    """Each root by itself, since each has a place of its own; without the findings that were left out. Where that is the
    cause, each consequence stands alone."""
    roots = (incident.seen_from(root) for incident in incidents for root in (incident.cause, *incident.alike))
    for incident in (replace(incident, alike=()) for incident in roots):
        if names.issuperset(incident.members):
            yield incident
        elif incident.cause in names:
            pairs = [
                (name, why) for name, why in zip(incident.consequences, incident.because, strict=False) if name in names
            ]
            links = tuple(link for link in incident.links if {link.finding, link.because} <= names)
            because = tuple(why if why in names else incident.cause for _, why in pairs)
            yield Incident(incident.cause, tuple(name for name, _ in pairs), because, links=links)
        else:
            yield from (Incident(name) for name in incident.consequences if name in names)


def _rests_on_the_unseen(
    finding: ReportedFinding, documents: Mapping[Ref, FileDocument], made: Mapping[Ref, Ref]
) -> bool:
    """Whether something that only a cluster has might make it untrue. A near miss among the files is worth saying, and two
    objects of the files that contradict each other."""
    if finding.aspect.startswith("@"):
        return False  # it is about the file itself
    unseen = {gap.partition(":")[0] for gap in finding.gaps if NO_CLUSTER in gap}
    if not unseen or "did you mean" in f"{finding.summary} {finding.detail}":
        return False
    quoted = {made.get(fact.object, fact.object) for fact in finding.evidence}
    return not (unseen <= _JOINED and len(quoted & documents.keys()) > 1)


def _located(
    finding: ReportedFinding, documents: Mapping[Ref, FileDocument], made: Mapping[Ref, Ref], *, offline: bool
) -> ReportedFinding:
    in_files = tuple(_in_file(fact, documents, made) for fact in finding.evidence)
    evidence = tuple(fact for fact in in_files if _is_known(fact, documents, made))
    place = _place(replace(finding, evidence=in_files), documents, made)
    gaps = tuple(gap for gap in finding.gaps if NO_CLUSTER not in gap) if offline else finding.gaps
    about = made.get(finding.about, finding.about)
    fixes = tuple(
        replace(fix, command="")
        if fix.changes in documents or finding.about in documents or about in documents
        else fix
        for fix in finding.fixes
    )
    commands = tuple(
        command
        for command in finding.commands
        if command.effect is Effect.READS
        and not offline
        and not any(name.name in command.line for name in (*made, *documents))
    )
    affects = tuple(dict.fromkeys(made.get(name, name) for name in finding.affects if not name.kind.endswith(GROUP)))
    affects = tuple(name for name in affects if name != about)
    return replace(
        finding,
        place=place,
        detail="\n".join(line for line in finding.detail.split("\n") if _OF_THE_REPLAY not in line),
        evidence=evidence or finding.evidence,
        gaps=gaps,
        fixes=fixes,
        commands=commands,
        about=about,
        affects=affects,
        since=None,
        changed=None,
    )


def _is_known(fact: Evidence, documents: Mapping[Ref, FileDocument], made: Mapping[Ref, Ref]) -> bool:
    """What was not applied yet has a spec, and no status or age."""
    if fact.object in made:
        return fact.path.startswith("spec")
    document = documents.get(fact.object)
    return document is None or fact.path != "metadata.creationTimestamp" or document.has(fact.path)


def _place(finding: ReportedFinding, documents: Mapping[Ref, FileDocument], made: Mapping[Ref, Ref]) -> Place | None:
    """Of the first fact that an object of the files has; else of the object itself, or of one that suffers."""
    if finding.about.kind.endswith(GROUP) or finding.aspect.startswith("@"):
        manifest = next((fact.object for fact in finding.evidence if fact.object.kind.endswith(GROUP)), finding.about)
        document = documents.get(manifest)
        return document.place_of(finding.aspect.removeprefix("@")) if document is not None else None
    subject = made.get(finding.about, finding.about)
    document = documents.get(subject)
    for fact in finding.evidence:
        if (own := documents.get(fact.object)) is not None and (document is None or own is document):
            return own.place_of(fact.path)
    if document is not None:
        return document.place_of("kind")
    for name in finding.affects:
        if (of_affected := documents.get(made.get(name, name))) is not None:
            return of_affected.place
    return None


def _in_file(fact: Evidence, documents: Mapping[Ref, FileDocument], made: Mapping[Ref, Ref]) -> Evidence:
    """What was quoted of an object that does not exist yet, quoted where the file has it."""
    source = made.get(fact.object)
    if source is None or source not in documents:
        return fact
    path = fact.path
    if fact.object.kind == "Pod":
        path = f"{_TEMPLATES.get(source.kind, 'spec.template.')}{path}"
    elif source.kind == "CronJob":
        path = f"spec.jobTemplate.{path}"
    return replace(fact, object=source, path=path) if documents[source].has(path) else fact
