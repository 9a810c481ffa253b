"""The files beside the cluster, examined by the same diagnostics as the cluster itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from kubedoctor.cluster.kinds.core import Namespace, Node
from kubedoctor.cluster.kinds.manifests import Manifest, ManifestRefusal
from kubedoctor.cluster.kinds.meta import Condition, KubernetesObject, ObjectMeta
from kubedoctor.cluster.kinds.references import Ref, kind_name, ref
from kubedoctor.cluster.manifests import FileDocument, Place
from kubedoctor.cluster.seen.snapshot import NOT_HERE, UNKNOWN_TIME, Snapshot, Source
from kubedoctor.cluster.seen.wants import LogWant, Want
from kubedoctor.engine.catalogue import Catalogue
from kubedoctor.engine.checking.judging import Judged, judged
from kubedoctor.engine.checking.overlay import Overlaid, overlay
from kubedoctor.engine.checking.placing import located
from kubedoctor.engine.checking.policies import PolicyVerdicts, policy_verdicts
from kubedoctor.engine.checking.running import ANY_NODE
from kubedoctor.engine.checking.surroundings import NO_CLUSTER, Surroundings
from kubedoctor.engine.checking.webhooks import WebhookVerdicts, webhook_verdicts
from kubedoctor.engine.examination import scan
from kubedoctor.engine.report import Incident, NotChecked, Report
from kubedoctor.replay.validation.expressions import TRANSITIONS

MANIFEST: Final = kind_name(Manifest)
ADMISSION: Final = "admission"
WARNED: Final = "admission warning"


class Checked(msgspec.Struct, frozen=True):
    """report: what would be wrong, of the objects of the files. after: the cluster as it would be, with the manifests. applied:
    the objects that the API server would take. made: what controllers would create, with the object that it comes from.
    restarts: how many running pods of each workload would be replaced. gaps: what was not replayed."""

    report: Report
    after: Snapshot
    applied: tuple[Ref, ...]
    made: Mapping[Ref, Ref]
    restarts: Mapping[Ref, int]
    gaps: tuple[str, ...] = ()


def empty_cluster(catalogue: Catalogue, name: str, kubernetes: str = "") -> Snapshot:
    """What is known without a cluster: nothing, and nothing is missing for certain."""
    snapshot = Snapshot(UNKNOWN_TIME, Source("files", name, kubernetes), closed=True)
    for kind in catalogue.reads():
        snapshot.limit(Want(kind), NO_CLUSTER)
    return snapshot


def check_files(
    catalogue: Catalogue,
    documents: Sequence[FileDocument],
    snapshot: Snapshot,
    around: Surroundings,
    heed: Callable[[], None] = lambda: None,
) -> Checked:
    """snapshot: the cluster, where one was read; everything that the catalogue reads was listed before."""
    found = judged(documents, around)
    if not around.offline:
        found = tuple(_in_its_namespace(one, found, snapshot) for one in found)
    policies = policy_verdicts(found, snapshot)
    found = tuple(_with_policies(one, policies) for one in found)
    webhooks = WebhookVerdicts({}, {}, ()) if around.offline else webhook_verdicts(found, snapshot)
    found = tuple(_with_admission(one, webhooks.refused) for one in found)
    objects = _last_of_each(one.obj for one in found if one.obj is not None)
    if around.offline:
        snapshot = snapshot.with_changes((_any_node(snapshot),))
        for space in {one.subject.namespace for one in found} - {""}:
            for kind in catalogue.reads():
                snapshot.limit(Want(kind, space), NO_CLUSTER)
    over = overlay(snapshot, objects, offline=around.offline, denied=_denied(policies, webhooks))
    found = tuple(_with_admission(one, over.refused) for one in found)
    after = over.snapshot.with_changes([one.manifest for one in found])
    after.cover(Want(MANIFEST))
    picked = _picked(found, over)
    report = scan(catalogue, after, _read_nothing, picked=lambda obj: ref(obj) in picked, heed=heed)
    applied = tuple(ref(one.obj) for one in found if one.obj is not None)
    gaps = (*over.gaps, *filter(None, (webhooks.gap,)))
    changed = [one.subject for one in found if one.transitions and snapshot.get(one.subject) is not None]
    reported = _reported(report, found, replace(over, gaps=gaps), around, changed)
    return Checked(reported, after, applied, over.made, over.restarts, gaps)


def _read_nothing(wants: frozenset[Want | LogWant]) -> None:
    """Logs of pods that do not exist yet."""


def _last_of_each(objects: Iterable[KubernetesObject]) -> tuple[KubernetesObject, ...]:
    return tuple({ref(obj): obj for obj in objects}.values())


def _any_node(snapshot: Snapshot) -> Node:
    ready = Condition(type="Ready", status="True", last_transition_time=snapshot.taken_at)
    node = Node(metadata=ObjectMeta(name=ANY_NODE, creation_timestamp=snapshot.taken_at))
    return replace(node, status=replace(node.status, conditions=(ready,)))


def _in_its_namespace(one: Judged, found: Sequence[Judged], snapshot: Snapshot) -> Judged:
    """Refused where its namespace does not exist, neither in the cluster nor among the files."""
    space = one.subject.namespace
    if not space or one.obj is None or not snapshot.covers(Want("Namespace")):
        return one
    if snapshot.get(Ref("Namespace", "", space)) is not None or any(
        isinstance(other.obj, Namespace) and other.obj.name == space for other in found
    ):
        return one
    text = f'namespaces "{space}" not found'
    return replace(
        one,
        obj=None,
        manifest=_refused(one.manifest, ManifestRefusal(fault=ADMISSION, path="metadata.namespace", text=text)),
    )


def _denied(policies: PolicyVerdicts, webhooks: WebhookVerdicts) -> dict[Ref, str]:
    """By workload, why its pods are refused: policies count before webhooks that validate."""
    denied = {name: f'pods "{name.name}-0" is forbidden: {text}' for name, text in policies.pods.items()}
    return {**webhooks.pods, **denied}


def _with_admission(one: Judged, refused: Mapping[Ref, str]) -> Judged:
    refusal = refused.get(one.subject)
    if refusal is None or one.obj is None:
        return one
    return replace(
        one, obj=None, manifest=_refused(one.manifest, ManifestRefusal(fault=ADMISSION, path="spec", text=refusal))
    )


def _with_policies(one: Judged, policies: PolicyVerdicts) -> Judged:
    """Refused where a policy denies it, and with the warnings of policies that only warn."""
    manifest = one.manifest
    for text in policies.warned.get(one.subject, ()):
        manifest = _refused(manifest, ManifestRefusal(fault=WARNED, path="metadata.name", text=text))
    refusal = policies.refused.get(one.subject)
    if refusal is not None:
        manifest = _refused(manifest, ManifestRefusal(fault=ADMISSION, path="spec", text=refusal))
    gap = one.gap or policies.gaps.get(one.subject, "")
    return replace(one, manifest=manifest, obj=None if refusal is not None else one.obj, gap=gap)


def _refused(manifest: Manifest, refusal: ManifestRefusal) -> Manifest:
    return replace(manifest, refusals=(*(manifest.refusals or ()), refusal))


def _picked(found: Iterable[Judged], over: Overlaid) -> frozenset[Ref]:
    """What is examined: the manifests, the objects that they describe, and what controllers make of these."""
    own = [ref(one.manifest) for one in found]
    described = [ref(one.obj) for one in found if one.obj is not None]
    return frozenset((*own, *described, *over.made, *over.kept))


def _reported(
    report: Report, found: Sequence[Judged], over: Overlaid, around: Surroundings, changed: Sequence[Ref]
) -> Report:
    """The report with places; without what rests on objects that cannot be seen. changed: objects whose change has rules."""
    documents = {one.subject: one.document for one in found}
    documents |= {ref(one.manifest): one.document for one in found}
    documents |= {ref(one.obj): one.document for one in found if one.obj is not None}
    report = located(report, documents, over.made, offline=around.offline)
    gaps = [NotChecked("", one.subject, one.gap) for one in found if one.gap]
    gaps += [NotChecked("", name, f"not evaluated: {TRANSITIONS}") for name in changed]
    gaps += [NotChecked("", None, why) for why in over.gaps]
    kept = [entry for entry in report.not_checked if not _is_offline(entry.why, around) and not _of_made(entry, over)]
    return replace(
        report,
        not_checked=(*kept, *gaps),
        objects_seen=len(found),
        unexplained=(),
        not_ready=(),
        namespaces=(),
        incidents=tuple(sorted(report.incidents, key=lambda incident: _order(incident, report))),
    )


def _order(incident: Incident, report: Report) -> tuple[Any, ...]:
    """Worst first, then as in the files."""
    place = report.finding(incident.cause).place
    return (report.severity_of(incident).rank, place is None, place or Place("", 0, 0))


def _is_offline(why: str, around: Surroundings) -> bool:
    return around.offline and (NO_CLUSTER in why or NOT_HERE in why)


def _of_made(entry: NotChecked, over: Overlaid) -> bool:
    """Logs and the like of pods that do not exist yet."""
    return entry.about in over.made and "log" in entry.why.lower()
