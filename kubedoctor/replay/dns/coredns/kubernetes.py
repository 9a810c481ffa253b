"""CoreDNS's plugin `kubernetes`: the records of Services, endpoints and pods.

Source: CoreDNS 1.14, `plugin/kubernetes` (parse.go, kubernetes.go, handler.go, reverse.go) and `plugin/backend_lookup.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from kubedoctor.cluster.grammar.selectors import Selector, SelectorError, parse_label_selector
from kubedoctor.cluster.kinds.core import Namespace, Service
from kubedoctor.cluster.kinds.networking import EndpointSlice
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.dns.coredns.records import (
    NOERROR,
    NXDOMAIN,
    UNKNOWN,
    Ask,
    DnsQuestion,
    DnsRecord,
    DnsReply,
    absolute,
    address_of_reverse,
    family_type,
    is_reverse,
    within,
    zone_of,
)
from kubedoctor.replay.dns.coredns.syntax import PluginConfig

SERVICE_NAME = "kubernetes.io/service-name"
_SCHEMA_VERSION = "1.1.0"
_MOST_LINKS = 8


class DnsObjects(msgspec.Struct, frozen=True):
    """What the plugin watches."""

    namespaces: tuple[Namespace, ...]
    services: tuple[Service, ...]
    slices: tuple[EndpointSlice, ...]
    pods: tuple[Pod, ...]


class ZoneEntry(msgspec.Struct, frozen=True):
    """One answer of the plugin to any type of question: an address or the name of another host.

    key: the name that a SRV record gives as target. port: None where there is none, which has no SRV record.
    """

    host: str
    key: str = ""
    port: int | None = None

    @property
    def is_alias(self) -> bool:
        return not family_type(self.host)


class _NoSuchName(Exception):
    """The name does not exist."""


class _Unseen(Exception):
    """The answer depends on one that cannot be seen."""

    def __init__(self, alias: DnsRecord, by: str) -> None:
        super().__init__(by)
        self.alias, self.by = alias, by


class KubernetesZone:
    """The plugin as one server block sets it up."""

    def __init__(self, config: PluginConfig, zones: Sequence[str], objects: DnsObjects) -> None:
        self.zones = tuple(absolute(zone).lower() for zone in config.head) or tuple(zones)
        self.fallthrough: tuple[str, ...] | None = None
        self._pods = "disabled"
        self._namespaces: frozenset[str] = frozenset()
        self._space_selector: Selector | None = None
        self._selector: Selector | None = None
        self._pod_names = self._ignore_empty = False
        self._endpoints = True
        for words in config.body:
            self._set(words[0], words[1:])
        self._objects = objects
        self._spaces = {space.name: space for space in objects.namespaces}
        self._services = {(row.namespace, row.name): row for row in objects.services if self._listed(row)}
        self._slices: dict[tuple[str, str], list[EndpointSlice]] = {}
        for row in objects.slices:
            self._slices.setdefault((row.namespace, row.labels.get(SERVICE_NAME, "")), []).append(row)

    def _set(self, option: str, values: Sequence[str]) -> None:
        if option == "pods":
            self._pods = values[0]
        elif option == "namespaces":
            self._namespaces = frozenset(values)
        elif option == "namespace_labels":
            self._space_selector = _selector(" ".join(values))
        elif option == "labels":
            self._selector = _selector(" ".join(values))
        elif option == "endpoint_pod_names":
            self._pod_names = True
        elif option == "ignore":
            self._ignore_empty = True
        elif option == "noendpoints":
            self._endpoints = False
        elif option == "fallthrough":
            self.fallthrough = tuple(absolute(zone).lower() for zone in values) or (".",)

    def _listed(self, service: Service) -> bool:
        return self._selector is None or self._selector.matches(service.labels)

    def answer(self, question: DnsQuestion, ask: Ask, following: Ask) -> DnsReply:
        """ask: the server itself, for names outside of the zone. following: the plugins after this one."""
        zone = zone_of(question.name, self.zones)
        if not zone:
            return following(question)
        try:
            records = tuple(self._records(question, zone, ask))
        except _NoSuchName:
            if self.fallthrough is not None and any(within(question.name, part) for part in self.fallthrough):
                return following(question)
            return DnsReply(NXDOMAIN, by="kubernetes")
        except _Unseen as elsewhere:
            return DnsReply(UNKNOWN, (elsewhere.alias,), elsewhere.by)
        return DnsReply(NOERROR, records, "kubernetes")

    def _records(self, question: DnsQuestion, zone: str, ask: Ask) -> Iterable[DnsRecord]:
        name, kind = question.name, question.type
        apex = name.lower() == zone
        if kind in ("A", "AAAA"):
            return self._addresses(name, kind, zone, ask, ())
        if kind == "SRV":
            return self._srv(name, [entry for entry in self._entries(name, zone) if not entry.is_alias])
        if kind == "PTR":
            return self._ptr(name, zone)
        if kind == "SOA":
            return (DnsRecord(name, "SOA", f"ns.dns.{zone} hostmaster.{zone}"),) if apex else ()
        if kind == "NS" and apex:
            return [DnsRecord(name, "NS", target) for target, _ in self._name_servers(zone)]
        if kind == "TXT":
            return self._txt(name, zone)
        if kind == "CNAME":
            entries = self._entries(name, zone)[:1]
            return [DnsRecord(name, "CNAME", absolute(entry.host)) for entry in entries if entry.is_alias]
        self._entries(name, zone)
        return ()

    def _addresses(self, name: str, kind: str, zone: str, ask: Ask, before: tuple[DnsRecord, ...]) -> list[DnsRecord]:
        records: list[DnsRecord] = []
        for entry in self._entries(name, zone):
            if not entry.is_alias:
                if family_type(entry.host) == kind:
                    records.append(DnsRecord(name, kind, entry.host))
                continue
            target = absolute(entry.host)
            alias = DnsRecord(name, "CNAME", target)
            if target.lower() == name.lower() or len(before) >= _MOST_LINKS or alias in before:
                continue
            if within(target, zone):
                try:
                    found = self._addresses(target, kind, zone, ask, (*before, alias))
                except _NoSuchName:
                    continue
                records += [alias, *found] if found else []
            else:
                reply = ask(DnsQuestion(target, kind))
                if reply.rcode == UNKNOWN:
                    raise _Unseen(alias, reply.by)
                records += [alias, *reply.answers]
        return list(dict.fromkeys(records))

    @staticmethod
    def _srv(name: str, entries: Sequence[ZoneEntry]) -> Iterator[DnsRecord]:
        weight = max(int(100 / (100 * len(entries)) * 100), 1) if entries else 0
        seen: set[tuple[str, int]] = set()
        for entry in entries:
            if entry.port is not None and (entry.key, entry.port) not in seen:
                seen.add((entry.key, entry.port))
                yield DnsRecord(name, "SRV", f"0 {weight} {entry.port} {entry.key}")

    def _txt(self, name: str, zone: str) -> tuple[DnsRecord, ...]:
        if name.lower() == f"dns-version.{zone}":
            return (DnsRecord(name, "TXT", f'"{_SCHEMA_VERSION}"'),)
        if name.lower() == f"ns.dns.{zone}" or not self._entries(name, zone):
            raise _NoSuchName
        return ()

    def _ptr(self, name: str, zone: str) -> Iterable[DnsRecord]:
        address = address_of_reverse(name)
        if not address:
            self._entries(name, zone)
            return ()
        hosts = list(self._names_of(address))
        if not hosts:
            raise _NoSuchName
        return [DnsRecord(name, "PTR", host) for host in hosts]

    def _names_of(self, address: str) -> Iterator[str]:
        zone = next((zone for zone in self.zones if not is_reverse(zone)), self.zones[0])
        for service in self._services.values():
            if self._seen(service.namespace) and address in _cluster_ips(service):
                yield f"{service.name}.{service.namespace}.svc.{zone}"
                return
        for (namespace, service_name), slices in self._slices.items():
            if not self._endpoints or not self._seen(namespace):
                continue
            for host, name, _ in self._endpoints_of(slices):
                if host == address:
                    yield f"{name}.{service_name}.{namespace}.svc.{zone}"

    # Names

    def _entries(self, name: str, zone: str) -> list[ZoneEntry]:
        """Raises _NoSuchName; an existing name without an answer gives none."""
        base = name.lower().removesuffix(zone).rstrip(".")
        labels = base.split(".") if base else []
        if labels in ([], ["svc"], ["pod"]):
            return []
        if labels == ["ns", "dns"]:
            return [ZoneEntry(address, name) for _, addresses in self._name_servers(zone) for address in addresses]
        if labels[-1] not in ("svc", "pod"):
            raise _NoSuchName
        kind, *rest = reversed(labels)
        namespace, host, *before = (*rest, "") if len(rest) == 1 else rest
        if len(before) > 2 or is_reverse(name) or not self._exposed(namespace):
            raise _NoSuchName
        if kind == "pod":
            return self._pod_entries(namespace, host, name, zone)
        if not host:
            return []
        endpoint = before[0] if len(before) == 1 else ""
        protocol, port = (part.removeprefix("_") for part in before) if len(before) == 2 else ("", "")
        entries = list(self._service_entries(namespace, host, endpoint, port, protocol, zone))
        if not entries:
            raise _NoSuchName
        return entries

    def _service_entries(
        self, namespace: str, name: str, endpoint: str, port: str, protocol: str, zone: str
    ) -> Iterator[ZoneEntry]:
        service = self._services.get((namespace, name))
        if service is None:
            return
        spec = service.spec
        key = f"{name}.{namespace}.svc.{zone}"
        if spec.type == "ExternalName":
            if not endpoint and not port and not family_type(spec.external_name):
                yield ZoneEntry(spec.external_name, key)
            return
        slices = self._slices.get((namespace, name), []) if self._endpoints else []
        headless = spec.cluster_ip == "None"
        if self._ignore_empty and not headless and not any(True for _ in self._endpoints_of(slices)):
            return
        if headless or endpoint:
            for row in slices:
                ports = [(entry.name or "", entry.protocol or "TCP", entry.port) for entry in row.ports or ()]
                for host, own, _ in self._endpoints_of([row]):
                    if endpoint and endpoint != own.lower():
                        continue
                    for port_name, port_protocol, number in ports or [("", "", None)]:
                        if _fits(port, port_name, protocol, port_protocol):
                            yield ZoneEntry(host, f"{own}.{key}", number)
            return
        for row_port in spec.ports or ():
            if _fits(port, row_port.name, protocol, row_port.protocol or "TCP"):
                for address in _cluster_ips(service):
                    yield ZoneEntry(address, key, row_port.port)

    def _endpoints_of(self, slices: Iterable[EndpointSlice]) -> Iterator[tuple[str, str, EndpointSlice]]:
        """Address, name and slice of each endpoint that is ready or published."""
        for row in slices:
            for endpoint in row.endpoints or ():
                if not endpoint.is_ready:
                    continue
                for address in endpoint.addresses or ():
                    target = endpoint.target_ref.name if endpoint.target_ref is not None else ""
                    name = endpoint.hostname or ""
                    if not name and self._pod_names and target and len(target) < 64:
                        name = target
                    yield address, name or address.replace(".", "-").replace(":", "-"), row

    def _pod_entries(self, namespace: str, host: str, name: str, zone: str) -> list[ZoneEntry]:
        if self._pods == "disabled":
            raise _NoSuchName
        if not host:
            return []
        dashes = host.count("-") == 3 and "--" not in host
        address = host.replace("-", "." if dashes else ":")
        key = f"{host}.{namespace}.pod.{zone}"
        if self._pods == "insecure":
            if not family_type(address):
                raise _NoSuchName
            return [ZoneEntry(address, key, 0)]
        for pod in self._objects.pods:
            if pod.namespace == namespace and pod.status.pod_ip == address:
                return [ZoneEntry(address, key, 0)]
        raise _NoSuchName

    def _name_servers(self, zone: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The Service of the cluster's DNS."""
        for service in self._services.values():
            if service.labels.get("k8s-app") == "kube-dns" and service.namespace == "kube-system":
                yield f"{service.name}.{service.namespace}.svc.{zone}", _cluster_ips(service)

    def _seen(self, namespace: str) -> bool:
        return not (self._namespaces or self._space_selector) or self._exposed(namespace)

    def _exposed(self, namespace: str) -> bool:
        space = self._spaces.get(namespace)
        if space is None or (self._namespaces and namespace not in self._namespaces):
            return False
        return self._space_selector is None or self._space_selector.matches(space.labels)


def _cluster_ips(service: Service) -> tuple[str, ...]:
    addresses = service.spec.cluster_ips or (service.spec.cluster_ip,)
    return tuple(address for address in addresses if address not in ("", "None"))


def _fits(port: str, port_name: str, protocol: str, port_protocol: str) -> bool:
    return (not port or port == port_name.lower()) and (not protocol or protocol == port_protocol.lower())


def _selector(text: str) -> Selector | None:
    try:
        return parse_label_selector(text)
    except SelectorError:
        return None
