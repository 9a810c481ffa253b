"""What programs ask the DNS for a name: the resolvers of Go, glibc and musl, step by step.

Sources: Go 1.26 `net/dnsclient_unix.go`, `net/dnsconfig_unix.go`; glibc 2.36 `resolv/res_query.c`, `resolv/res_send.c`;
musl 1.2.3 `src/network/lookup_name.c`, `src/network/res_msend.c`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from kubedoctor.replay.dns.clients.resolv_conf import MOST_SERVERS, ResolvConf
from kubedoctor.replay.dns.coredns.records import (
    DROPPED,
    NOERROR,
    NXDOMAIN,
    UNKNOWN,
    Ask,
    DnsQuestion,
    DnsReply,
    absolute,
    family_type,
)

GO, GLIBC, MUSL = "go", "glibc", "musl"
RESOLVERS: Final = (GLIBC, GO, MUSL)
_MOST_DOTS: Final = 15
_LONGEST_NAME: Final = 254
_LONGEST_MUSL_LINE: Final = 254
_UDP_SIZE: Final = 512
_GLIBC_BUFFER: Final = 1024


class DnsStep(msgspec.Struct, frozen=True):
    """One question to one server. `reply` None: no server is there."""

    server: str
    question: DnsQuestion
    reply: DnsReply | None


class NameLookup(msgspec.Struct, frozen=True):
    """What a program gets. `failure`: NXDOMAIN, NODATA, SERVFAIL, TIMEOUT or INVALID where it gets no address, UNKNOWN
    where a server's answer cannot be seen."""

    addresses: tuple[str, ...]
    failure: str
    steps: tuple[DnsStep, ...] = ()

    @property
    def wasted(self) -> int:
        """How many questions came before the name that decided."""
        last = self.steps[-1].question.name if self.steps else ""
        return sum(step.question.name != last for step in self.steps)


def look_up(
    resolver: str, name: str, conf: ResolvConf, servers: Mapping[str, Ask], hosts: Mapping[str, Sequence[str]]
) -> NameLookup:
    """servers: those that answer, by address. hosts: the rows of /etc/hosts, addresses by name."""
    try:
        return NameLookup((str(ipaddress.ip_address(name)),), "")
    except ValueError:
        pass
    labels = name.removesuffix(".").split(".")
    if not all(0 < len(label) <= 63 for label in labels) or len(absolute(name)) > _LONGEST_NAME:
        return NameLookup((), "INVALID")
    known = hosts.get(name.removesuffix(".").lower())
    if known:
        # glibc takes ::1 for another name of 127.0.0.1 there.
        shown = [address for address in known if resolver != GLIBC or address != "::1" or "127.0.0.1" not in known]
        return NameLookup(tuple(dict.fromkeys(shown)), "")
    return _WALKS[resolver](name.lower(), conf, servers).run()


class _Walk:
    """The candidates of a name in order, each asked of the servers."""

    types: tuple[str, ...] = ("A", "AAAA")

    def __init__(self, name: str, conf: ResolvConf, servers: Mapping[str, Ask]) -> None:
        self._name, self._conf, self._servers = name, conf, servers
        self._addresses_of = conf.servers[:MOST_SERVERS] or ("127.0.0.1",)
        self._attempts = max(min(_number(conf.option("attempts"), 2), 5), 1)
        self._ndots = min(_number(conf.option("ndots"), 1), _MOST_DOTS)
        self._steps: list[DnsStep] = []
        self._turn = 0

    def run(self) -> NameLookup:
        raise NotImplementedError

    def _done(self, addresses: Sequence[str], failure: str) -> NameLookup:
        return NameLookup(tuple(dict.fromkeys(addresses)), "" if addresses else failure, tuple(self._steps))

    def _ask(self, server: str, question: DnsQuestion) -> DnsReply | None:
        asked = self._servers.get(server)
        reply = asked(question) if asked is not None else None
        self._steps.append(DnsStep(server, question, reply))
        return reply if reply is None or reply.rcode != DROPPED else None

    def _candidates(self) -> Iterator[str]:
        """As Go and glibc walk: with enough dots the name itself first, else last."""
        name = absolute(self._name)
        if self._name.endswith("."):
            yield name
            return
        as_is = self._name.count(".") >= self._ndots
        if as_is:
            yield name
        for search in self._conf.searches:
            if search != "." and len(name + search) < _LONGEST_NAME:
                yield absolute(name + search)
        if not as_is:
            yield name

    def _turned(self, start: int) -> Iterator[str]:
        number = len(self._addresses_of)
        for place in range(number):
            yield self._addresses_of[(start + place) % number]

    @property
    def _rotates(self) -> bool:
        return self._conf.option("rotate") is not None


class _Go(_Walk):
    types = ("AAAA", "A")

    def run(self) -> NameLookup:
        failure = NXDOMAIN
        for candidate in self._candidates():
            found: list[str] = []
            for kind in self.types:
                outcome, addresses = self._query(DnsQuestion(candidate, kind))
                found += addresses
                failure = outcome or failure
            if found:
                return self._done(_v4_first(found), "")
        return self._done((), failure)

    def _query(self, question: DnsQuestion) -> tuple[str, list[str]]:
        """Servers that fail are passed over, so often as there are attempts; a server that has no such name decides."""
        outcome = "TIMEOUT"
        for _ in range(self._attempts):
            start = self._turn if self._rotates else 0
            for server in self._turned(start):
                reply = self._ask(server, question)
                if reply is None:
                    continue
                if reply.rcode == UNKNOWN:
                    return UNKNOWN, []
                if reply.rcode in (NOERROR, NXDOMAIN):
                    self._turn += 1
                    addresses = _addresses(reply, question.type)
                    return ("" if addresses else NXDOMAIN), addresses
                outcome = "SERVFAIL"
        self._turn += 1
        return outcome, []


class _Glibc(_Walk):
    def __init__(self, name: str, conf: ResolvConf, servers: Mapping[str, Ask]) -> None:
        super().__init__(name, conf, servers)
        if conf.option("no-aaaa") is not None:
            self.types = ("A",)

    def run(self) -> NameLookup:
        failure = NXDOMAIN
        for candidate in self._candidates():
            outcome, found, ends = self._query(candidate)
            if found or ends:
                return self._done(found, outcome)
            if outcome == UNKNOWN or failure == NXDOMAIN:
                failure = outcome
            if failure == UNKNOWN:
                break
        return self._done((), failure)

    def _candidates(self) -> Iterator[str]:
        """A search entry `.` stands for the name itself, which is then not asked again."""
        name = absolute(self._name)
        as_is = self._name.endswith(".") or self._name.count(".") >= self._ndots
        if as_is:
            yield name
            if self._name.endswith("."):
                return
        for search in self._conf.searches:
            if search == ".":
                yield name
            elif len(name + search) < _LONGEST_NAME:
                yield absolute(name + search)
        if not as_is and "." not in self._conf.searches:
            yield name

    def _query(self, candidate: str) -> tuple[str, list[str], bool]:
        """Outcome, addresses, and whether the walk ends here: at an alias without address."""
        outcome = "TIMEOUT"
        start = self._turn if self._rotates else 0
        self._turn += 1
        for _ in range(self._attempts):
            for server in self._turned(start):
                replies = [self._ask(server, DnsQuestion(candidate, kind)) for kind in self.types]
                if any(reply is None for reply in replies):
                    continue
                answered = [reply for reply in replies if reply is not None]
                if any(reply.rcode == UNKNOWN for reply in answered):
                    return UNKNOWN, [], False
                if all(reply.rcode in (NOERROR, NXDOMAIN) for reply in answered):
                    self._ask_again(server, candidate, answered)
                    return self._read(answered)
                outcome = "SERVFAIL"
        return outcome, [], False

    def _read(self, replies: Sequence[DnsReply]) -> tuple[str, list[str], bool]:
        found = [
            address for reply, kind in zip(replies, self.types, strict=True) for address in _addresses(reply, kind)
        ]
        alias = any(reply.answers for reply in replies)
        nodata = any(reply.rcode == NOERROR for reply in replies)
        return ("NODATA" if nodata else NXDOMAIN), found, alias and not found

    def _ask_again(self, server: str, candidate: str, replies: Sequence[DnsReply]) -> None:
        """A truncated answer is asked for by TCP; what does not fit into the buffer is asked for again as it grows."""
        sizes = [_size(reply, candidate) for reply in replies]
        extended = self._conf.option("edns0") is not None
        too_large = sum(sizes) > _GLIBC_BUFFER if extended else max(sizes) > _UDP_SIZE
        rounds = (2 if extended else 5) if too_large else 0
        for _ in range(rounds):
            for kind in self.types:
                self._ask(server, DnsQuestion(candidate, kind))


class _Musl(_Walk):
    def run(self) -> NameLookup:
        name = absolute(self._name)
        searches: Sequence[str] = self._conf.searches
        line = f"search {' '.join(searches)}"
        if len(line) > _LONGEST_MUSL_LINE or self._name.endswith(".") or self._name.count(".") >= self._ndots:
            searches = ()
        for search in searches:
            if search == ".":
                return self._done((), "TIMEOUT")  # A name that ends with two dots: no server answers that.
            if len(name + search) < _LONGEST_NAME:
                outcome, found = self._query(absolute(name + search))
                if outcome != NXDOMAIN:
                    return self._done(found, outcome)
        outcome, found = self._query(name)
        return self._done(found, outcome)

    def _query(self, candidate: str) -> tuple[str, list[str]]:
        """All servers at once; the first that answers decides. A failure is asked again until time is up."""
        questions = [DnsQuestion(candidate, kind) for kind in self.types]
        replies: list[DnsReply] = []
        for server in self._addresses_of:
            answered = [self._ask(server, question) for question in questions]
            replies = replies or [reply for reply in answered if reply is not None]
        if not replies:
            return "TIMEOUT", []
        if any(reply.rcode == UNKNOWN for reply in replies):
            return UNKNOWN, []
        if any(reply.rcode not in (NOERROR, NXDOMAIN) for reply in replies):
            for _ in range(3 * self._attempts - 1):
                for server in self._addresses_of:
                    for question in questions:
                        if server in self._servers:
                            self._ask(server, question)
            return "SERVFAIL", []
        if any(reply.rcode == NXDOMAIN for reply in replies):
            return NXDOMAIN, []
        found = [
            address for reply, kind in zip(replies, self.types, strict=True) for address in _addresses(reply, kind)
        ]
        return ("" if found else "NODATA"), found


_WALKS: Final[Mapping[str, type[_Walk]]] = {GO: _Go, GLIBC: _Glibc, MUSL: _Musl}


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() else default


def _addresses(reply: DnsReply, kind: str) -> list[str]:
    return [record.data for record in reply.answers if record.type == kind]


def _v4_first(addresses: Sequence[str]) -> list[str]:
    return sorted(addresses, key=family_type)


def _size(reply: DnsReply, name: str) -> int:
    """Bytes of an answer with compressed names: header, question, records."""
    return 12 + len(name) + 5 + sum(12 + (16 if record.type == "AAAA" else 4) for record in reply.answers)
