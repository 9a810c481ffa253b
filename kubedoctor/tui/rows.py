"""From a snapshot to the rows of a list: pure, so that a worker can do it and a test can read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec

from kubedoctor.cluster import CronJob, Event, Job, KubernetesObject, Pod, Ref, ReplicaSet, Service, Snapshot, ref
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.kinds.resources import kind_named, plural_of
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.relations.services import selects
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS, template_of
from kubedoctor.engine import Report
from kubedoctor.engine.health import Health, StatedHealth, health_of, stated_health
from kubedoctor.tui.marks import Marks, Restarts, marks_of, restarts_of

READING = "reading…"
EXAMINING = "examining…"
ROOTS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "ReplicaSet", "ReplicationController", "Pod")
"""The kinds of a workload list; an object whose controller is also there is not listed by itself."""

WITH_LOGS = WORKLOAD_KINDS | {"Pod"}


_TITLES = {"": "Workloads", "Finding": "Incidents"}
TABS = (("Finding", "Incidents"), ("", "Workloads"), ("Node", "Nodes"), ("Event", "Events"))
"""The kinds of the lists that are one key away, in their order, and their titles."""


class View(msgspec.Struct, frozen=True):
    """What a list shows. `kind` is empty for workloads, `Finding` for incidents, `Context` for contexts;
    `namespace` is empty for all; `owner` limits pods to those of a workload or a Node."""

    kind: str = ""
    namespace: str = ""
    owner: Ref | None = None

    @property
    def title(self) -> str:
        """The title of the list."""
        if self.owner is not None:
            return f"Pods of {visible(self.owner.title)}"
        if self.kind in _TITLES:
            return _TITLES[self.kind]
        row = kind_named(self.kind)
        if row is None:
            return visible(self.kind, 100) if "." in self.kind else f"{self.kind}s"
        return _title(self.kind, row.plural)

    def noun(self, count: int) -> str:
        """The noun for this number of rows."""
        row = kind_named(self.kind)
        singular, plural = (row.singular, row.plural) if row else (_singular(self.kind), plural_of(self.kind))
        if not self.kind:
            singular, plural = "workload", "workloads"
        return singular if count == 1 else plural


def next_tab(view: View, step: int) -> str | None:
    """The kind of the tab so many places on, the first after the last; None for a list that is no tab."""
    kinds = [kind for kind, _ in TABS]
    if view.owner is not None or view.kind not in kinds:
        return None
    return kinds[(kinds.index(view.kind) + step) % len(kinds)]


def _singular(kind: str) -> str:
    return kind.partition(".")[0].lower()


def _title(kind: str, plural: str) -> str:
    """The plural in the API's spelling: `NetworkPolicies`."""
    for singular, ending in (("", "s"), ("y", "ies"), ("", "es"), ("", "")):
        spelled = kind.removesuffix(singular) + ending
        if spelled.lower() == plural.lower():
            return spelled
    return plural.capitalize()


LAST_PLACE = 1 << 30
_END_OF_TIME = 1 << 33
"""In seconds of the epoch: later than any object, and as wide as the places in the sort key of a row."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """One line of a list. `finding` is the id of an incident's cause in a list of findings.
    `search` is the text for filters, in lower case. `place`: of the worst incident that concerns it, 0 is the first; `cause`: in a few words."""

    ref: Ref
    health: Health
    ready: str = ""
    status: str = ""
    restarts: int = 0
    created: datetime | None = None
    node: str = ""
    images: str = ""
    labels: dict[str, str] | None = None
    finding: str = ""
    search: str = ""
    place: int = LAST_PLACE
    cause: str = ""
    ip: str = ""


def searchable(name: Ref, *words: str) -> str:
    """The text for filters; kept in the row, because a filter searches all rows at each key."""
    return " ".join((f"{name.namespace}/{name.name} {name.kind}", *words)).lower()


def make_rows(
    snapshot: Snapshot,
    view: View,
    report: Report | None = None,
    *,
    whole: bool = True,
    restarts: Restarts | None = None,
    marks: Marks | None = None,
) -> tuple[Row, ...]:
    """The rows of a view, worst first; findings of the report make their rows worse. `restarts`: counted already;
    `marks`: those of the report.

    whole: false while lists are being read; then an object whose owner may follow has no row among the workloads.
    """
    family = Family(snapshot)
    marks = marks or marks_of(report, family)
    worst = marks.worst
    if view.kind:
        objects = objects_of(snapshot, view)
        if view.owner is not None:
            objects = tuple(obj for obj in objects if belongs(obj, view.owner, family))
        rows = [row_of(obj, worst) for obj in objects]
    else:
        restarts = restarts or Restarts(snapshot, view.namespace, family)
        rows = [
            row
            for kind_of_root in ROOTS
            for obj in snapshot.of_kind(kind_of_root, view.namespace)
            if (row := workload_row(obj, snapshot, family, worst, restarts, whole=whole)) is not None
        ]
        if report:
            others = _other_causes(report, view.namespace, {row.ref for row in rows}, family)
            rows += [_with_age(row, snapshot.get(row.ref)) for row in others]
    if report:
        rows = [placed(row, marks) for row in rows]
    return arrange(rows, "health")


def objects_of(snapshot: Snapshot, view: View) -> tuple[KubernetesObject, ...]:
    """The objects of the kind of a view, of its namespace where they have one."""
    row = kind_named(view.kind)
    if row is None and view.namespace:  # objects of an extension may be of no namespace
        return tuple(obj for obj in snapshot.of_kind(view.kind) if obj.metadata.namespace in ("", view.namespace))
    return snapshot.of_kind(view.kind, view.namespace if row is None or row.namespaced else "")


def placed(row: Row, marks: Marks) -> Row:
    """The row in the place of the incident that concerns it, with its cause."""
    place = marks.places.get(row.ref)
    return row if place is None else msgspec.structs.replace(row, place=place, cause=marks.causes[row.ref])


def belongs(obj: KubernetesObject, owner: Ref, family: Family) -> bool:
    """Whether a pod is of this workload, on this Node, or selected by this Service."""
    if owner.kind == "Node":
        return isinstance(obj, Pod) and obj.spec.node_name == owner.name
    if owner.kind == "Service":
        service = family.snapshot.get(owner)
        return isinstance(obj, Pod) and isinstance(service, Service) and selects(service, obj)
    return owner in family.line(ref(obj))


def workload_row(
    obj: KubernetesObject,
    snapshot: Snapshot,
    family: Family,
    worst: dict[Ref, Health],
    restarts: Restarts,
    *,
    whole: bool = True,
) -> Row | None:
    """The row in the list of workloads; None where its owner stands there for it. `whole`: see `make_rows`."""
    name = ref(obj)
    if not (family.is_top_seen(obj) if whole else family.top(name) == name):
        return None
    state = stated_health(obj)
    if isinstance(obj, ReplicaSet) and state.health is Health.IDLE:
        return None
    if isinstance(obj, CronJob):
        state = _with_last_run(obj, state, snapshot)
    return row_of(obj, worst, state, restarts.of_workload.get(name, 0))


def _other_causes(report: Report, namespace: str, listed: set[Ref], family: Family) -> list[Row]:
    """Problems that show at no workload: a Service that selects nothing, a Node without pods of these workloads, an
    autoscaler that reports that it cannot scale."""
    by_id = {finding.id: finding for finding in report.findings}
    rows: dict[Ref, Row] = {}
    for incident in report.incidents:
        cause = by_id[incident.cause]
        health = health_of(report.severity_of(incident))
        if namespace and cause.about.namespace not in ("", namespace):
            continue
        own = (by_id[id_] for id_ in incident.members)
        touched = {family.top_seen(name) for finding in own for name in (finding.about, *finding.affects)}
        if listed.isdisjoint(touched):
            row = Row(cause.about, health, status=cause.summary, search=searchable(cause.about, cause.summary))
            rows.setdefault(cause.about, row)
    for unexplained in report.unexplained:
        if family.top_seen(unexplained.about) not in listed and (
            not namespace or unexplained.about.namespace in ("", namespace)
        ):
            row = Row(
                unexplained.about,
                Health.DEGRADED,
                status=unexplained.says,
                search=searchable(unexplained.about, unexplained.says),
            )
            rows.setdefault(unexplained.about, row)
    return list(rows.values())


def _with_age(row: Row, obj: KubernetesObject | None) -> Row:
    if obj is None:
        return row
    return msgspec.structs.replace(row, created=obj.metadata.creation_timestamp, labels=obj.metadata.labels)


def _with_last_run(cron_job: CronJob, state: StatedHealth, snapshot: Snapshot) -> StatedHealth:
    """A CronJob has the health of its newest run."""
    runs = snapshot.index("Job", "owner").get(("CronJob", cron_job.namespace, cron_job.name), ())
    newest = max(runs, key=lambda run: (_moment(run.metadata.creation_timestamp), run.name), default=None)
    if isinstance(newest, Job) and state.health is Health.HEALTHY and stated_health(newest).health is Health.BROKEN:
        return StatedHealth(Health.DEGRADED, state.ready, "last run failed")
    return state


def row_of(
    obj: KubernetesObject, worst: dict[Ref, Health], state: StatedHealth | None = None, restarts: int = 0
) -> Row:
    """The row of an object, as bad as `worst` says at least."""
    name = ref(obj)
    if isinstance(obj, Event):
        return _event_row(name, obj)
    state = state or stated_health(obj)
    health = min(state.health, worst.get(name, Health.IDLE), key=lambda mark: mark.rank)
    pod = obj if isinstance(obj, Pod) else None
    spec = pod.spec if pod else (template.spec if (template := template_of(obj)) else None)
    return Row(
        ref=name,
        health=health,
        ready=state.ready,
        status=state.status,
        restarts=restarts or (restarts_of(pod) if pod else 0),
        created=obj.metadata.creation_timestamp,
        node=pod.spec.node_name if pod else "",
        ip=pod.status.pod_ip if pod else "",
        images=", ".join(container.image for container in spec.containers) if spec else "",
        labels=obj.metadata.labels,
        search=searchable(name, state.status),
    )


def _event_row(name: Ref, event: Event) -> Row:
    """`ready` is the type, `node` the reason, `images` the object, `restarts` how often. The newest come first, warnings
    before all others."""
    about = event.involved_object
    seen = event.seen_at
    return Row(
        ref=name,
        health=Health.NOTED if event.type == "Warning" else Health.IDLE,
        ready=event.type,
        status=event.message,
        restarts=event.times,
        created=seen,
        node=event.reason,
        images=f"{about.kind.lower()}/{about.name}",
        search=searchable(name, event.type, event.reason, f"{about.kind}/{about.name}", event.message),
        place=_END_OF_TIME - int(_moment(seen)),
    )


def known_row(name: Ref, snapshot: Snapshot) -> Row:
    """The row of an object by its own status alone; idle where it was not seen."""
    obj = snapshot.get(name)
    return row_of(obj, {}) if obj is not None else Row(name, Health.IDLE, status="not seen")


# Order

BACKWARDS = "-"
"""Before the name of an order."""
_LAST_TEXT = "\x7f"


def context_rows(names: Iterable[str], current: str) -> tuple[Row, ...]:
    """Rows of the contexts of a kubeconfig."""
    return tuple(
        Row(Ref("Context", "", name), Health.IDLE, status="current" if name == current else "", search=name.lower())
        for name in names
    )


def _by(text: Callable[[Row], str]) -> Callable[[Row], str]:
    """By a text, and by name where it is equal."""
    return lambda row: f"{text(row)}\0{row.ref.name}\0{row.ref.namespace}\0{row.ref.kind}"


def _share(ready: str) -> str:
    """Of `1/2` the share; the worst first."""
    number, slash, most = ready.partition("/")
    if not (slash and number.isdecimal() and most.isdecimal()):
        return f"{ready or _LAST_TEXT}"
    return f"{int(number) / max(int(most), 1):09.5f}{int(most):09}"


class _Backwards:
    """A key that sorts the other way round."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key

    def __lt__(self, other: _Backwards) -> bool:
        return bool(other.key < self.key)


_KIND_RANKS = {kind: rank for rank, kind in enumerate(ROOTS)}

# No two rows have the same key. One text is compared three times as fast as a tuple of several.
_ORDERS: dict[str, Callable[[Row], Any]] = {
    "health": lambda row: (
        f"{row.health.rank}{row.place:010}{_KIND_RANKS.get(row.ref.kind, 99):02}"
        f"{row.ref.namespace}\0{row.ref.name}\0{row.ref.kind}"
    ),
    "name": lambda row: f"{row.ref.name}\0{row.ref.namespace}\0{row.ref.kind}",
    "age": lambda row: (-_moment(row.created), row.ref.name, row.ref.namespace, row.ref.kind),
    "namespace": _by(lambda row: row.ref.namespace),
    "kind": _by(lambda row: row.ref.kind),
    "ready": _by(lambda row: _share(row.ready)),
    "restarts": _by(lambda row: f"{LAST_PLACE - row.restarts:012}"),
    "status": _by(lambda row: row.status),
    "ip": _by(lambda row: ".".join(part.zfill(3) for part in row.ip.split("."))),
    "node": _by(lambda row: row.node),
    "images": _by(lambda row: row.images),
    "cause": _by(lambda row: row.cause or _LAST_TEXT),
}


def _moment(created: datetime | None) -> float:
    return created.timestamp() if created else 0.0


def place_in(order: str) -> Callable[[Row], Any]:
    """The sort key of a row in an order of `arrange`."""
    key = _ORDERS[order.removeprefix(BACKWARDS)]
    return (lambda row: _Backwards(key(row))) if order.startswith(BACKWARDS) else key


def is_order(order: str) -> bool:
    """Whether `arrange` knows it."""
    return order.removeprefix(BACKWARDS) in _ORDERS


def arrange(rows: Iterable[Row], order: str, key: Callable[[Row], Any] | None = None) -> tuple[Row, ...]:
    """Sorted by `health` (worst first), `age` (youngest first), `restarts` (most first), `ready` (the smallest share first)
    or a text: `name`, `namespace`, `kind`, `status`, `ip`, `node`, `images`, `cause`; `-name` is the other way round. key: of an order that only it knows."""
    known = key or _ORDERS[order.removeprefix(BACKWARDS)]
    return tuple(sorted(rows, key=known, reverse=order.startswith(BACKWARDS)))


def counts(rows: Iterable[Row]) -> dict[Health, int]:
    """How many rows of each health."""
    numbers = dict.fromkeys(Health, 0)
    for row in rows:
        numbers[row.health] += 1
    return numbers


def namespaces_in_order(names: Iterable[str], current: str) -> tuple[str, ...]:
    """For the keys 1 to 9: the starting namespace, the users' namespaces, then those of the system."""
    return tuple(
        sorted(
            set(names) | ({current} if current else set()), key=lambda name: (name != current, _is_system(name), name)
        )
    )


def _is_system(name: str) -> bool:
    return name.startswith("kube-")
