"""What pods and nodes use, as the metrics API serves it (`metrics.k8s.io`)."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from kubedoctor.cluster.grammar.quantities import amount_of
from kubedoctor.cluster.kinds.metrics import NodeMetrics, PodMetrics
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.collect.connecting.paths import segment
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.answers import ApiRefusal

MEASURED: Final = {"Pod": "PodMetrics", "Node": "NodeMetrics"}


class Use(NamedTuple):
    """cpu: thousandths of a core; memory: bytes."""

    cpu: int
    memory: int


Uses = dict[tuple[str, str], Use]
"""By namespace (empty for nodes) and name."""


class _Meta(msgspec.Struct, frozen=True):
    name: str = ""
    namespace: str = ""


class _Usage(msgspec.Struct, frozen=True):
    usage: dict[str, str] = {}


class _Measured(msgspec.Struct, frozen=True):
    metadata: _Meta = _Meta()
    containers: tuple[_Usage, ...] | None = None
    usage: dict[str, str] | None = None


class _List(msgspec.Struct, frozen=True):
    items: tuple[_Measured, ...] | None = None


_LIST: Final = msgspec.json.Decoder(_List)


def read_usage(transport: Transport, kind: str, namespace: str = "") -> Uses:
    """What the objects of a kind (Pod or Node) use now. Only names and amounts are kept: of a large cluster the list is
    long. Raises ApiRefusal, also where the API is not served, and SourceProblem."""
    row = kind_named(MEASURED[kind])
    assert row is not None  # both are in the table of kinds
    body = transport.get(row.path(segment(namespace) if namespace and row.namespaced else None, None), tries=1)
    try:
        found = _LIST.decode(body).items or ()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiRefusal(0, "Unreadable", f"{row.resource} cannot be decoded ({error})") from None
    return {
        (item.metadata.namespace, item.metadata.name): use
        for item in found
        if (use := _together(container.usage for container in item.containers or (_Usage(item.usage or {}),)))
    }


def usage_in(snapshot: Snapshot, kind: str, namespace: str = "") -> Uses | None:
    """What a recording has of it; None where metrics were not recorded."""
    name = MEASURED[kind]
    scope = namespace if kind == "Pod" else ""
    found = snapshot.of_kind(name, scope)
    if not found and not snapshot.covers(Want(name, scope)):
        return None
    uses: Uses = {}
    for obj in found:
        if isinstance(obj, PodMetrics):
            parts: Iterable[dict[str, str]] = [container.usage for container in obj.containers or ()]
        elif isinstance(obj, NodeMetrics):
            parts = [obj.usage]
        else:
            continue
        if use := _together(parts):
            uses[obj.metadata.namespace, obj.metadata.name] = use
    return uses


def _together(parts: Iterable[dict[str, str]]) -> Use | None:
    """None where nothing was measured."""
    cpu = memory = 0
    measured = False
    for part in parts:
        cores, size = amount_of(part.get("cpu")), amount_of(part.get("memory"))
        if cores is not None and size is not None:
            measured = True
            cpu, memory = cpu + cores.milli_value(), memory + size.value()
    return Use(cpu, memory) if measured else None
