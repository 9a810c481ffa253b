"""Where VirtualServices send requests: hosts, ports and subsets that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects, full_name, listed
from kubedoctor.replay.mesh.analysis.traffic.registry import HostRegistry
from kubedoctor.replay.mesh.config import DESTINATION_RULE, VIRTUAL_SERVICE, number, part, rows, text, words

_SERVICE: Final = re.compile(r"(.+)\.(.+)\.svc\.cluster\.local")


class RoutedDestination(NamedTuple):
    """A destination of a route or of its mirror. `path`: where it stands; `port`: None where it names none."""

    path: str
    host: str
    subset: str
    port: int | None


def destinations(rule: CustomResource) -> Iterator[RoutedDestination]:
    """Of the routes of a VirtualService, in istioctl's order."""
    for protocol in ("tcp", "tls", "http"):
        for at, row in rows(rule.spec, protocol):
            for index, target in rows(row, "route"):
                yield _destination(f"spec.{protocol}[{at}].route[{index}].destination", part(target, "destination"))


def mirrors(rule: CustomResource) -> Iterator[RoutedDestination]:
    """Where its routes send copies."""
    for at, row in rows(rule.spec, "http"):
        if isinstance(row.get("mirror"), dict):
            yield _destination(f"spec.http[{at}].mirror", part(row, "mirror"))
        for index, mirror in rows(row, "mirrors"):
            yield _destination(f"spec.http[{at}].mirrors[{index}].destination", part(mirror, "destination"))


def _destination(path: str, written: Mapping[str, Any]) -> RoutedDestination:
    port = written.get("port")
    return RoutedDestination(
        path,
        text(written.get("host")),
        text(written.get("subset")),
        number(port.get("number")) if isinstance(port, dict) else None,
    )


def analyze_destination_hosts(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    registry = HostRegistry(objects)
    rules = objects.of(VIRTUAL_SERVICE)
    for rule in rules:
        exported = words(rule.spec, "exportTo")
        for name, found in (("host", destinations(rule)), ("mirror host", mirrors(rule))):
            for target in found:
                known = registry.find(target.host, rule.namespace, exported)
                if known is None:
                    yield message_about("IST0101", rule, name, target.host)
                elif target.port is None:
                    if len(known.ports) > 1:
                        yield message_about("IST0112", rule, target.host, listed([str(port) for port in known.ports]))
                elif target.port not in known.ports:
                    yield message_about("IST0101", rule, "host:port", f"{target.host}:{target.port}")
        yield from _subsets_of_others(rule, rules)


def _subsets_of_others(rule: CustomResource, rules: tuple[CustomResource, ...]) -> Iterator[AnalyzerMessage]:
    """A gateway sends requests by its own VirtualService: the subsets of one for the mesh have no effect on them."""
    if not words(rule.spec, "gateways"):
        return
    plain = [target for target in _http(rule) if not target.subset]
    for other in rules:
        hosts = words(other.spec, "hosts")
        split = [target.host for target in _http(other) if target.subset and target.host in hosts]
        for target in plain:
            for host in split:
                if host == target.host:
                    yield message_about("IST0140", rule, full_name(other), full_name(rule))


def _http(rule: CustomResource) -> Iterator[RoutedDestination]:
    return (target for target in destinations(rule) if target.path.startswith("spec.http"))


def analyze_subsets(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    defined = {
        (_service_of(text((rule.spec or {}).get("host")), rule.namespace), text(subset.get("name")))
        for rule in objects.of(DESTINATION_RULE)
        for _, subset in rows(rule.spec, "subsets")
    }
    for rule in objects.of(VIRTUAL_SERVICE):
        for name, found in (
            ("host+subset in destinationrule", destinations(rule)),
            ("mirror+subset in destinationrule", mirrors(rule)),
        ):
            for target in found:
                if target.subset and (_service_of(target.host, rule.namespace), target.subset) not in defined:
                    yield message_about("IST0101", rule, name, f"{target.host}+{target.subset}")


def _service_of(host: str, namespace: str) -> tuple[str, str]:
    found = _SERVICE.fullmatch(host)
    return (found[2], found[1]) if found is not None else (namespace, host)


ANALYZERS: Final = (
    Analyzer("virtualservice.DestinationHostAnalyzer", analyze_destination_hosts),
    Analyzer("virtualservice.DestinationRuleAnalyzer", analyze_subsets),
)
