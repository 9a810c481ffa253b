"""The hosts that istioctl knows: those of Services and of ServiceEntries, by who sees them (`analyzers/util/service_lookup.go`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects
from kubedoctor.replay.mesh.config import SERVICE_ENTRY, labels, number, rows, words
from kubedoctor.replay.mesh.hosts import is_wildcard
from kubedoctor.replay.mesh.registry import EXPORT_TO, full_name

EVERYWHERE: Final = "*"
OWN: Final = "."


class KnownHost(NamedTuple):
    """`ports`: their numbers in order; `labels`: those that its endpoints must have, of a ServiceEntry."""

    ports: tuple[int, ...]
    labels: dict[str, str]


class HostRegistry:
    """Names with the namespace that sees them, `*` for all."""

    def __init__(self, objects: AnalyzedObjects) -> None:
        self._known: dict[tuple[str, str], KnownHost] = {}
        for entry in objects.of(SERVICE_ENTRY):
            ports = tuple(number(row.get("number")) for _, row in rows(entry.spec, "ports"))
            known = KnownHost(ports, labels(entry.spec, "workloadSelector", "labels"))
            scopes = scopes_of(words(entry.spec, "exportTo"), entry.namespace)
            for host in words(entry.spec, "hosts"):
                for scope in scopes:
                    self._known[scope, full_name(host, entry.namespace)] = known
        for service in objects.services:
            known = KnownHost(tuple(row.port for row in service.spec.ports or ()), {})
            written = service.annotations.get(EXPORT_TO, "")
            names = [name.strip() for name in written.split(",")] if written else [EVERYWHERE]
            for scope in names:
                at = service.namespace if scope == OWN else scope
                self._known[at, full_name(service.name, service.namespace)] = known

    def find(self, host: str, namespace: str, export_to: Sequence[str] = ()) -> KnownHost | None:
        """What an object of a namespace, exported to `export_to`, means by a host."""
        name = full_name(host, namespace) if host else f".{namespace}.svc.cluster.local"
        scopes = [EVERYWHERE, *((namespace if scope == OWN else scope) for scope in export_to or (OWN,))]
        for scope in scopes:
            if (found := self._known.get((scope, name))) is not None:
                return found
        ending = host.removeprefix("*")
        for (scope, known), found in self._known.items():
            if is_wildcard(known) and scope in (EVERYWHERE, namespace) and ending.endswith(known[1:]):
                return found
        return None


def scopes_of(export_to: Iterable[str], namespace: str) -> tuple[str, ...]:
    """The namespaces of an `exportTo`; only `*` where it names all or nothing."""
    names = dict.fromkeys(namespace if name == OWN else name for name in export_to)
    return (EVERYWHERE,) if not names or EVERYWHERE in names else tuple(names)
