"""What is used, in columns: of pods and workloads beside what they request and may use, of nodes beside what they have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from kubedoctor.cluster import Container, Node, Pod, Ref, Snapshot
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.collect.computed.usage import Use, Uses
from kubedoctor.replay.scheduler.requests import amounts, pod_limits, pod_requests
from kubedoctor.tui.columns import ListColumn
from kubedoctor.tui.rows import Row, View

NOT_KNOWN: Final = "n/a"
CPU, MEMORY = "cpu", "memory"
_NAMES: Final = (CPU, MEMORY)
_TITLES: Final = {CPU: "CPU", MEMORY: "MEM"}
_WIDTHS: Final = {CPU: 6, MEMORY: 7}
_OF_POD: Final = (("R", "requests"), ("L", "limits"))
Bounds = tuple[Mapping[str, int], ...]
"""Of each column of shares, what is the whole; a name that is missing has none."""


def measured_kind(view: View) -> str:
    """The kind of the metrics that a list shows: Pod or Node; empty for lists without."""
    if view.kind in ("", "Pod") or view.kind in WORKLOAD_KINDS:
        return "Pod"
    return "Node" if view.kind == "Node" else ""


class UsageColumns:
    """The columns of one list, from one measurement. What they say of a row is computed when the row is drawn, once."""

    def __init__(self, view: View, uses: Uses, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._members: dict[Ref, list[Ref]] = {}
        kind = measured_kind(view)
        self._uses = {Ref(kind, *name): use for name, use in uses.items()}
        if view.kind not in ("Pod", "Node"):
            self._add_up(Family(snapshot))
        self._shown: dict[Ref, tuple[str, ...]] = {}
        self.columns = tuple(_columns(self._text, ("of what it has",) if kind == "Node" else _OF_POD))
        self._wholes = 1 if kind == "Node" else 2

    def _add_up(self, family: Family) -> None:
        """What the pods of each workload use together."""
        for pod, use in list(self._uses.items()):
            for owner in family.line(pod)[1:]:
                before = self._uses.get(owner, Use(0, 0))
                self._uses[owner] = Use(before.cpu + use.cpu, before.memory + use.memory)
                self._members.setdefault(owner, []).append(pod)

    def value(self, place: int, row: Row) -> float:
        """For sorting, of the column at this place; less than 0 where it is not known."""
        use = self._uses.get(row.ref)
        if use is None:
            return -1.0
        number, which = divmod(place, 1 + self._wholes)
        if not which:
            return float(use[number])
        whole = self._bounds(row.ref)[which - 1].get(_NAMES[number])
        return use[number] / whole if whole else -1.0

    def _text(self, place: int, row: Row, _now: datetime) -> str:
        texts = self._shown.get(row.ref)
        if texts is None:
            texts = self._shown[row.ref] = self._texts(row.ref)
        return texts[place]

    def _texts(self, name: Ref) -> tuple[str, ...]:
        use = self._uses.get(name)
        if use is None:
            return (NOT_KNOWN,) * len(self.columns)
        bounds = self._bounds(name)
        return (
            f"{use.cpu}m",
            *(_share(use.cpu, bound.get(CPU)) for bound in bounds),
            f"{use.memory >> 20}Mi",
            *(_share(use.memory, bound.get(MEMORY)) for bound in bounds),
        )

    def _bounds(self, name: Ref) -> Bounds:
        obj = self._snapshot.get(name)
        if isinstance(obj, Node):
            has = amounts(obj.status.allocatable)
            return ({key: _number(key, has[key]) for key in _NAMES if key in has},)
        pods = [self._snapshot.get(pod) for pod in self._members.get(name, [name])]
        return tuple(_together([_bound(pod, side) for pod in pods if isinstance(pod, Pod)]) for _, side in _OF_POD)


def _columns(text: Callable[[int, Row, datetime], str], shares: Iterable[Any]) -> Iterable[ListColumn]:
    place = 0
    for number, name in enumerate(_NAMES):
        title = _TITLES[name]
        yield ListColumn(title, _WIDTHS[name], partial(text, place), right=True, yields=3, order=name)
        place += 1
        for share in shares:
            letter, words = share if isinstance(share, tuple) else ("", share)
            yield ListColumn(
                f"%{title}{'/' if letter else ''}{letter}",
                6 if letter else 4,
                partial(text, place),
                right=True,
                yields=31 + number,
                role="dim",
                order=f"{name} {words}" if not letter else f"{name} of {words}",
            )
            place += 1


def _bound(pod: Pod, side: str) -> dict[str, int]:
    """What a pod requests, or its limits where each of its containers has one: else nothing limits the pod."""
    if side == "requests":
        asked = pod_requests(pod.spec)
        return {key: _number(key, asked[key]) for key in _NAMES if key in asked}
    limits = pod_limits(pod.spec)
    all_limited = {
        key for key in _NAMES if all(key in amounts(_limits(container)) for container in pod.spec.containers)
    }
    return {key: _number(key, limits[key]) for key in _NAMES if key in limits and key in all_limited}


def _limits(container: Container) -> Mapping[str, str] | None:
    return container.resources.limits if container.resources is not None else None


def _together(bounds: list[dict[str, int]]) -> dict[str, int]:
    """The sum, of the resources that all pods have a bound of."""
    return {
        key: sum(bound[key] for bound in bounds) for key in _NAMES if bounds and all(key in bound for bound in bounds)
    }


def _number(resource: str, quantity: Any) -> int:
    return int(quantity.milli_value() if resource == CPU else quantity.value())


def _share(use: int, whole: int | None) -> str:
    return f"{use * 100 // whole}" if whole else NOT_KNOWN
