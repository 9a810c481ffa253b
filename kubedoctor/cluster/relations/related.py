"""`@related`: which objects are examined together with an object of a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.credentials import without_credentials
from kubedoctor.cluster.grammar.selectors import SelectorError
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref, kind_name, ref
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS, pods_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import CannotSee, Gap, LogWant, NotCollected, Want

Neighbours = Callable[[Any, Cluster], Iterator[Ref]]


class Related(msgspec.Struct, frozen=True):
    """The objects that `find` names are examined together with an object of `kinds`. Calling it runs `find`."""

    kinds: tuple[str, ...]
    find: Neighbours
    workloads_too: bool = False
    asked_only: bool = False

    @property
    def name(self) -> str:
        """For people: `acme_diagnostics.relations.certificates_of`."""
        return f"{self.find.__module__}.{self.find.__qualname__}"

    def starts(self, obj: KubernetesObject, cluster: Cluster) -> tuple[KubernetesObject, ...]:
        """The objects to call the relation with, for the relatives of `obj`: the object itself, or the pods of a
        workload."""
        kind = kind_name(obj)
        if kind in self.kinds:
            return (obj,)
        return pods_of(obj, cluster) if self.workloads_too and kind in WORKLOAD_KINDS else ()

    def __call__(self, obj: Any, cluster: Cluster) -> Iterator[Ref]:
        return self.find(obj, cluster)


def related(
    *kinds: type[KubernetesObject] | str, workloads_too: bool = False, asked_only: bool = False
) -> Callable[[Neighbours], Related]:
    """Make a relation of a function `(object, cluster) -> Iterator[Ref]`: `kubedoctor pod X` examines the objects that it
    names for X. A custom kind is given as `Kind.group`. Reads raise as in a diagnostic: an object that cannot be read
    is a gap.

    workloads_too: for a relation of Pods; the relatives of a workload's pods are then examined with the workload as well.
    asked_only: only for the object that is asked about, not for one that a finding blames.
    """

    def declare(find: Neighbours) -> Related:
        return Related(tuple(kind_name(kind) for kind in kinds), find, workloads_too, asked_only)

    return declare


def related_objects(
    obj: KubernetesObject, cluster: Cluster, wants: set[Want | LogWant], relations: Iterable[Related]
) -> tuple[Ref, ...]:
    """The objects to examine with this object, in the order of the relations, the object itself left out.

    An object that cannot be read becomes a gap of `cluster`; objects not yet fetched are added to `wants`.
    """
    kind = kind_name(obj)
    names: dict[Ref, None] = {}
    for relation in relations:
        try:
            names.update(dict.fromkeys(_found(relation, obj, cluster, wants)))
        except CannotSee as blind:
            cluster.gaps.add(Gap(blind.kind, blind.why))
        except SelectorError as broken:
            cluster.gaps.add(Gap(kind, f"a selector of {ref(obj).title} is not valid: {broken}"))
        except Exception as error:  # noqa: BLE001  # a relation of a package must not break the others
            cluster.gaps.add(
                Gap(kind, without_credentials(f"the relation {relation.name} failed: {type(error).__name__}: {error}"))
            )
    names.pop(ref(obj), None)
    return tuple(names)


def _found(relation: Related, obj: KubernetesObject, cluster: Cluster, wants: set[Want | LogWant]) -> tuple[Ref, ...]:
    """The objects that a relation names; where one is not yet fetched, those before it, so that they are not waited for."""
    names: list[Ref] = []
    try:
        for start in relation.starts(obj, cluster):
            for name in relation(start, cluster):
                names.append(name)  # noqa: PERF402  # what came before the exception counts
    except NotCollected as missing:
        wants.update(missing.wants)
    return tuple(names)
