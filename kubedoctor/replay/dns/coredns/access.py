"""Who may ask CoreDNS what: its plugin `acl`.

Source: CoreDNS 1.14, `plugin/acl/acl.go` and `plugin/acl/setup.go`. The first rule that fits decides; `allow` ends the
plugin, also for the lists that follow; without a rule that fits the question passes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from kubedoctor.replay.dns.coredns.records import (
    DROPPED,
    NOERROR,
    REFUSED,
    UNKNOWN,
    Ask,
    DnsQuestion,
    DnsReply,
    absolute,
    zone_of,
)
from kubedoctor.replay.dns.coredns.syntax import PluginConfig

ACL: Final = "acl"
_ALLOW: Final = "allow"
_ACTIONS: Final = {_ALLOW: "", "block": REFUSED, "filter": NOERROR, "drop": DROPPED}
"""The answer of each action; empty where the question goes on to the next plugin."""
_SECTIONS: Final = ("type", "net")
_ANY: Final = "*"
_KNOWN: Final = frozenset(_ACTIONS)

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AccessProblem(ValueError):
    """Why CoreDNS does not load a rule: its words after the place."""


class AccessRule(msgspec.Struct, frozen=True):
    """types, networks: empty for all."""

    zones: tuple[str, ...]
    action: str
    types: frozenset[str]
    networks: tuple[_Network, ...]

    def fits(self, question: DnsQuestion, client: str) -> bool | None:
        """None where the client decides, and is not known (empty)."""
        if not zone_of(question.name, self.zones) or (self.types and question.type not in self.types):
            return False
        if not self.networks or _covers_all(self.networks):
            return True
        if not client:
            return None
        return any(ipaddress.ip_address(client) in network for network in self.networks)


class AccessList:
    """The lists of a server block. client: the address that the questions come from; empty where it is not known."""

    def __init__(self, configs: Sequence[PluginConfig], zones: Sequence[str], client: str) -> None:
        self._client = client
        self._rules = [rule for config in configs for rule in _rules(config, zones)]

    def answer(self, question: DnsQuestion, following: Ask) -> DnsReply:
        outcomes = self._outcomes(question)
        if len(outcomes) > 1:
            return DnsReply(UNKNOWN, by="acl, by the address of who asks")
        (action,) = outcomes
        return DnsReply(_ACTIONS[action], by=ACL) if action != _ALLOW else following(question)

    def _outcomes(self, question: DnsQuestion) -> set[str]:
        """What may be done: more than one action only where the client is not known."""
        possible: set[str] = set()
        for rule in self._rules:
            fits = rule.fits(question, self._client)
            if fits is not False:
                possible.add(rule.action)
            if fits:
                return possible
        return possible | {_ALLOW}


def check_rule(words: Sequence[str]) -> None:
    """Raises AccessProblem for a line of the list that CoreDNS does not load."""
    if words[0].lower() not in _KNOWN:
        raise AccessProblem(f"unexpected token \"{words[0]}\"; expect 'allow', 'block', 'filter' or 'drop'")
    if words[1:] and words[1].lower() not in _SECTIONS:
        raise AccessProblem(f"unexpected token \"{words[1]}\"; expect 'type | net'")
    for section, values in _sections(words):
        if not values:
            raise AccessProblem(f'no token specified in "{section}" section')
        if section != "net":
            continue
        for value in values:
            if value == _ANY:
                break
            try:
                _network(value)
            except ValueError:
                raise AccessProblem(f'illegal CIDR notation "{_with_length(value)}"') from None


def _rules(config: PluginConfig, zones: Sequence[str]) -> Iterator[AccessRule]:
    own = tuple(absolute(name).lower() for name in config.head) or tuple(zones)
    for words in config.body:
        values: dict[str, list[str]] = {name: [] for name in _SECTIONS}
        for section, found in _sections(words):
            values[section] += found
        types, networks = values["type"], values["net"]
        yield AccessRule(
            own,
            words[0].lower(),
            frozenset(() if _ANY in types else types),
            () if _ANY in networks else tuple(_network(value) for value in networks),
        )


def _sections(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    name, values = "", list[str]()
    for word in words[1:]:
        if word.lower() in _SECTIONS:
            if name:
                yield name, values
            name, values = word.lower(), []
        else:
            values.append(word)
    if name:
        yield name, values


def _with_length(value: str) -> str:
    return value if "/" in value else f"{value}/{128 if ':' in value else 32}"


def _network(value: str) -> _Network:
    return ipaddress.ip_network(_with_length(value), strict=False)


def _covers_all(networks: Sequence[_Network]) -> bool:
    """Whether every client of the cluster's usual family is in a network: `0.0.0.0/0`."""
    return any(network.version == 4 and network.prefixlen == 0 for network in networks)
