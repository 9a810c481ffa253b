"""Gateways: pods that serve them, ports of their Services, certificates, and gateways that claim the same host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.cluster.grammar.selectors import Selector, selector_from_map
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects, full_name, listed
from kubedoctor.replay.mesh.config import GATEWAY, labels, number, part, rows, text, words


def _selector(gateway: CustomResource) -> Selector:
    return selector_from_map(labels(gateway.spec, "selector"))


def _pods(gateway: CustomResource, objects: AnalyzedObjects) -> list[Pod]:
    selector = _selector(gateway)
    return [pod for pod in objects.pods if selector.matches(pod.labels)]


def analyze_ports(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    for gateway in objects.of(GATEWAY):
        pods = _pods(gateway, objects)
        if not pods:
            yield message_about("IST0101", gateway, "selector", _selector(gateway).text)
            continue
        offered = _offered(pods, objects)
        for _, server in rows(gateway.spec, "servers"):
            if isinstance(server.get("port"), dict):
                port = number(part(server, "port").get("number"))
                if port not in offered:
                    yield message_about("IST0162", gateway, str(port), _selector(gateway).text)


def _offered(pods: list[Pod], objects: AnalyzedObjects) -> set[int]:
    """The ports of the Services that select the pods, and those that they lead to."""
    found = set()
    for service in objects.services:
        selector = selector_from_map(service.spec.selector or {})
        if not any(pod.namespace == service.namespace and selector.matches(pod.labels) for pod in pods):
            continue
        for row in service.spec.ports or ():
            if row.protocol == "TCP":
                written = str(row.target_port or 0)
                target = int(written) if written.isdigit() else 0
                found |= {row.port, target} if target else {row.port}
    return found


def analyze_credentials(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    secrets = {(secret.namespace, secret.name): secret for secret in objects.secrets}
    for gateway in objects.of(GATEWAY):
        pods = _pods(gateway, objects)
        if not pods:
            yield message_about("IST0101", gateway, "selector", _selector(gateway).text)
            continue
        namespace = pods[0].namespace
        for _, server in rows(gateway.spec, "servers"):
            written = text(part(server, "tls").get("credentialName"))
            space, slash, name = written.partition("/")
            at = (space, name) if slash else (namespace, written)
            if not written:
                continue
            if at not in secrets:
                yield message_about("IST0101", gateway, "credentialName", written)
            elif at in objects.bad_certificates or not _has_certificate(secrets[at].data or {}):
                yield message_about("IST0161", gateway, gateway.name, namespace)


def _has_certificate(data: Mapping[str, Any]) -> bool:
    return {"cert", "key"} <= data.keys() or {"tls.crt", "tls.key"} <= data.keys()


def analyze_certificates(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    """One certificate for several gateways: a client that reuses a connection meets the wrong one."""
    gateways = objects.of(GATEWAY)
    for gateway in gateways:
        wanted = labels(gateway.spec, "selector").items()
        for other in gateways:
            if other is gateway or not wanted <= labels(other.spec, "selector").items():
                continue
            if any(_is_same(one, another) for one in _tls(gateway) for another in _tls(other)):
                yield message_about("IST0138", gateway, listed((full_name(gateway), full_name(other))))


def _tls(gateway: CustomResource) -> list[Mapping[str, Any]]:
    return [part(server, "tls") for _, server in rows(gateway.spec, "servers") if isinstance(server.get("tls"), dict)]


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if one.get("credentialName") or other.get("credentialName"):
        return bool(one.get("credentialName") == other.get("credentialName"))
    files = [(tls.get("serverCertificate"), tls.get("privateKey")) for tls in (one, other)]
    return all(files[0]) and files[0] == files[1]


def analyze_conflicts(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    """Servers of several gateways for the same host and port. As in istioctl, the hosts of a server without a conflict
    count as those of the gateways that it was compared with."""
    known: dict[tuple[str, int], dict[str, dict[str, str]]] = {}
    gateways = objects.of(GATEWAY)
    for gateway in gateways:
        for _, server in rows(gateway.spec, "servers"):
            at = _selector(gateway).text, number(part(server, "port").get("number"))
            hosts = dict.fromkeys(words(server, "hosts"), text(server.get("bind")))
            known.setdefault(at, {})[full_name(gateway)] = hosts
    written = {_selector(gateway).text: _selector(gateway) for gateway in gateways}
    for gateway in gateways:
        selector = _selector(gateway)
        met = [
            other for other, found in written.items() if other == selector.text or _overlap(selector, found, objects)
        ]
        rivals = {at: found for at, found in known.items() if at[0] in met}
        if selector.text and not rivals:
            yield message_about("IST0101", gateway, "selector", selector.text)
            continue
        for _, server in rows(gateway.spec, "servers"):
            port = number(part(server, "port").get("number"))
            conflicts = [
                name
                for at, found in rivals.items()
                if at[1] == port
                for name, hosts in found.items()
                if name != full_name(gateway) and _is_taken(server, hosts)
            ]
            if conflicts:
                names, claimed = ",".join(sorted(conflicts)), ",".join(words(server, "hosts"))
                yield message_about("IST0145", gateway, names, selector.text, str(port), claimed)


def _overlap(one: Selector, other: Selector, objects: AnalyzedObjects) -> bool:
    if one.text not in other.text and other.text not in one.text:
        return False
    return any(one.matches(pod.labels) and other.matches(pod.labels) for pod in objects.pods)


def _is_taken(server: Mapping[str, Any], known: dict[str, str]) -> bool:
    bind = text(server.get("bind"))
    if any(host in known and known[host] == bind for host in words(server, "hosts")):
        return True
    known.update(dict.fromkeys(words(server, "hosts"), bind))
    return False


ANALYZERS: Final = (
    Analyzer("gateway.IngressGatewayPortAnalyzer", analyze_ports),
    Analyzer("gateway.CertificateAnalyzer", analyze_certificates),
    Analyzer("gateway.SecretAnalyzer", analyze_credentials),
    Analyzer("gateway.ConflictingGatewayAnalyzer", analyze_conflicts),
)
