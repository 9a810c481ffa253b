"""What CoreDNS answers to a question: server block, plugins in their fixed order, records.

Source: CoreDNS 1.14, `plugin.cfg`, `core/dnsserver/server.go` and the plugins `template`, `hosts`, `forward`.
`cache`, `loadbalance`, `errors`, `log` and the like change no answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from kubedoctor.replay.dns.coredns.access import AccessList
from kubedoctor.replay.dns.coredns.kubernetes import DnsObjects, KubernetesZone
from kubedoctor.replay.dns.coredns.loading import ZONE_PORT, split_zone
from kubedoctor.replay.dns.coredns.records import (
    NOERROR,
    REFUSED,
    SERVFAIL,
    Ask,
    DnsQuestion,
    DnsRecord,
    DnsReply,
    absolute,
    address_of_reverse,
    family_type,
    within,
    zone_of,
)
from kubedoctor.replay.dns.coredns.rewriting import Rewriting
from kubedoctor.replay.dns.coredns.syntax import PluginConfig, ServerBlock

_ORDER: Final = ("rewrite", "acl", "template", "hosts", "kubernetes", "forward")
_NAME: Final = re.compile(r"\{\{\s*\.Name\s*\}\}")
_DEEPEST: Final = 8
"""Aliases that lead back to the server itself are followed this often."""

Step = Callable[[DnsQuestion, Ask], DnsReply]
Upstreams = Callable[[str], Ask | None]


class CoreDns:
    """A server. upstreams: who answers at an address that `forward` names; None where no server does. client: the address
    that the questions come from; empty where it is not known."""

    def __init__(
        self,
        blocks: Sequence[ServerBlock],
        objects: DnsObjects,
        upstreams: Upstreams,
        port: int = ZONE_PORT,
        files: Mapping[str, str] | None = None,
        client: str = "",
    ) -> None:
        self._client = client
        self._objects, self._upstreams, self._files = objects, upstreams, files or {}
        self._depth = 0
        self._chains: dict[str, Ask] = {}
        for block in blocks:
            keys = [split_zone(key, port) for key in block.keys]
            zones = [zone for zone, _ in keys]
            chain = self._chain(block, zones)
            for zone, zone_port in keys:
                if zone_port == str(port):
                    self._chains.setdefault(zone, chain)

    def ask(self, question: DnsQuestion) -> DnsReply:
        """The reply that a client gets."""
        zone = zone_of(question.name, self._chains)
        if not zone:
            return DnsReply(REFUSED, by="no server block has the zone")
        if self._depth > _DEEPEST:
            return DnsReply(SERVFAIL, by="too many aliases")
        self._depth += 1
        try:
            return self._chains[zone](question)
        finally:
            self._depth -= 1

    def _chain(self, block: ServerBlock, zones: Sequence[str]) -> Ask:
        following: Ask = _nobody
        for plugin in reversed(_ORDER):
            configs = block.all(plugin)
            if not configs:
                continue
            for step in reversed(list(self._steps(plugin, configs, zones))):
                following = _linked(step, following)
        return following

    def _steps(self, plugin: str, configs: Sequence[PluginConfig], zones: Sequence[str]) -> Iterator[Step]:
        if plugin == "rewrite":
            yield Rewriting(configs).answer
        elif plugin == "acl":
            yield AccessList(configs, zones, self._client).answer
        elif plugin == "template":
            yield _Templates(configs, zones, self.ask).answer
        elif plugin == "hosts":
            yield _Hosts(configs[0], zones, self._files).answer
        elif plugin == "kubernetes":
            plugin_zone = KubernetesZone(configs[0], zones, self._objects)
            yield lambda question, following: plugin_zone.answer(question, self.ask, following)
        else:
            yield from (_Forward(config, self._upstreams).answer for config in configs)


def _nobody(question: DnsQuestion) -> DnsReply:
    return DnsReply(SERVFAIL, by="no plugin answers")


def _linked(step: Step, following: Ask) -> Ask:
    return lambda question: step(question, following)


def _through(zones: Sequence[str] | None, name: str) -> bool:
    return zones is not None and any(within(name, zone) for zone in zones)


def _absolute(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(absolute(name).lower() for name in names)


class _Forward:
    def __init__(self, config: PluginConfig, upstreams: Upstreams) -> None:
        self._zone = absolute(config.head[0]).lower()
        self._targets = config.head[1:]
        self._upstreams = upstreams
        self._except = _absolute([word for line in config.body if line[0] == "except" for word in line[1:]])

    def answer(self, question: DnsQuestion, following: Ask) -> DnsReply:
        if not within(question.name, self._zone) or _through(self._except, question.name):
            return following(question)
        for target in self._targets:
            if (upstream := self._upstreams(target)) is not None:
                return upstream(question)
        return DnsReply(SERVFAIL, by=f"forward to {', '.join(self._targets)}: no answer")


class _Templates:
    def __init__(self, configs: Sequence[PluginConfig], zones: Sequence[str], ask: Ask) -> None:
        self._configs, self._zones, self._ask = configs, zones, ask

    def answer(self, question: DnsQuestion, following: Ask) -> DnsReply:
        for config in self._configs:
            head = [*config.head, "ANY", "ANY"]
            kind, zones = head[1], _absolute(config.head[2:]) or tuple(self._zones)
            if not zone_of(question.name, zones) or kind not in ("ANY", question.type):
                continue
            patterns = [word for line in config.body if line[0] == "match" for word in line[1:]]
            if patterns and not any(re.search(pattern, question.name) for pattern in patterns):
                passes = next((line[1:] or (".",) for line in config.body if line[0] == "fallthrough"), None)
                if _through(None if passes is None else _absolute(passes), question.name):
                    continue
                return DnsReply(SERVFAIL, by="template")
            rcode = next((line[1] for line in config.body if line[0] == "rcode"), NOERROR)
            lines = [" ".join(line[1:]) for line in config.body if line[0] == "answer"]
            records = [record for line in lines for record in self._records(_NAME.sub(question.name, line), question)]
            return DnsReply(rcode, tuple(records), "template")
        return following(question)

    def _records(self, line: str, question: DnsQuestion) -> Iterator[DnsRecord]:
        """`NAME TTL CLASS TYPE DATA`, of which TTL and class may be missing."""
        name, *rest = line.split()
        while rest and (rest[0].isdigit() or rest[0] in ("IN", "CH")):
            rest.pop(0)
        if not rest:
            return
        kind, *data = rest
        yield DnsRecord(absolute(name), kind, " ".join(data))
        if kind == "CNAME" and question.type in ("A", "AAAA"):
            yield from self._ask(DnsQuestion(absolute(data[0]), question.type)).answers


class _Hosts:
    def __init__(self, config: PluginConfig, zones: Sequence[str], files: Mapping[str, str]) -> None:
        head = config.head
        self._zones = _absolute(head[1:]) or tuple(zones)
        self._fallthrough: tuple[str, ...] | None = None
        self._reverse = True
        rows = [line.partition("#")[0].split() for line in files.get(head[0] if head else "", "").splitlines()]
        for line in config.body:
            if line[0] == "fallthrough":
                self._fallthrough = _absolute(line[1:]) or (".",)
            elif line[0] == "no_reverse":
                self._reverse = False
            elif line[0] not in ("ttl", "reload"):
                rows.append(list(line))
        self._rows = [(row[0], _absolute(row[1:])) for row in rows if row and family_type(row[0])]

    def answer(self, question: DnsQuestion, following: Ask) -> DnsReply:
        name = question.name.lower()
        if question.type == "PTR":
            address = address_of_reverse(name)
            names = [host for found, hosts in self._rows if found == address for host in hosts] if address else []
            if not names or not self._reverse:
                return following(question)
            return DnsReply(NOERROR, tuple(DnsRecord(question.name, "PTR", host) for host in names), "hosts")
        if not zone_of(name, self._zones):
            return following(question)
        addresses = [address for address, hosts in self._rows if name in hosts]
        if not addresses:
            return following(question) if _through(self._fallthrough, name) else DnsReply(SERVFAIL, by="hosts")
        records = (
            DnsRecord(question.name, question.type, address)
            for address in addresses
            if family_type(address) == question.type
        )
        return DnsReply(NOERROR, tuple(records), "hosts")
