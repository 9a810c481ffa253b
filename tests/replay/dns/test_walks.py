"""How Go, glibc and musl walk through the candidates of a name."""

from __future__ import annotations

import pytest

from kubedoctor.replay.dns.clients.resolv_conf import ResolvConf
from kubedoctor.replay.dns.clients.walks import GLIBC, GO, MUSL, RESOLVERS, NameLookup, look_up
from kubedoctor.replay.dns.coredns.records import NOERROR, NXDOMAIN, SERVFAIL, UNKNOWN, DnsQuestion, DnsRecord, DnsReply

SERVER = "10.96.0.10"
KNOWN = {"web.shop.svc.": "10.96.1.1", "api.example.": "192.0.2.1"}
CONF = ResolvConf((SERVER,), ("shop.svc", "svc"), ("ndots:2",))


def answer(question: DnsQuestion) -> DnsReply:
    name = question.name
    if name.endswith("broken."):
        return DnsReply(SERVFAIL)
    if name.endswith("hidden."):
        return DnsReply(UNKNOWN)
    if name == "alias.shop.svc.":
        return DnsReply(NOERROR, (DnsRecord(name, "CNAME", "gone.example."),))
    if name == "empty.shop.svc.":
        return DnsReply(NOERROR)
    if name not in KNOWN:
        return DnsReply(NXDOMAIN)
    return DnsReply(NOERROR, (DnsRecord(name, "A", KNOWN[name]),) if question.type == "A" else ())


def found(resolver: str, name: str, conf: ResolvConf = CONF) -> NameLookup:
    return look_up(resolver, name, conf, {SERVER: answer}, {"localhost": ("127.0.0.1", "::1")})


def asked(lookup: NameLookup) -> list[str]:
    return list(dict.fromkeys(step.question.name for step in lookup.steps))


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_short_names_walk_the_search_list(resolver: str) -> None:
    lookup = found(resolver, "web")
    assert (lookup.addresses, lookup.failure) == (("10.96.1.1",), "")
    assert asked(lookup) == ["web.shop.svc."]
    missing = found(resolver, "nosuch")
    assert (missing.addresses, missing.failure) == ((), NXDOMAIN)
    assert asked(missing) == ["nosuch.shop.svc.", "nosuch.svc.", "nosuch."]
    assert missing.wasted == 4


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_names_that_need_no_server(resolver: str) -> None:
    assert found(resolver, "192.0.2.7").addresses == ("192.0.2.7",)
    assert found(resolver, "web..shop").failure == "INVALID"
    assert found(resolver, "localhost").addresses[0] == "127.0.0.1"
    assert asked(found(resolver, "api.example.")) == ["api.example."]


def test_with_enough_dots_musl_never_walks() -> None:
    names = {resolver: asked(found(resolver, "a.b.c")) for resolver in RESOLVERS}
    assert names[GO] == names[GLIBC] == ["a.b.c.", "a.b.c.shop.svc.", "a.b.c.svc."]
    assert names[MUSL] == ["a.b.c."]


def test_a_failing_server_stops_musl_only() -> None:
    conf = ResolvConf((SERVER,), ("broken", "shop.svc"), ("ndots:2", "attempts:1"))
    assert found(GO, "web", conf).addresses == found(GLIBC, "web", conf).addresses == ("10.96.1.1",)
    assert (found(MUSL, "web", conf).addresses, found(MUSL, "web", conf).failure) == ((), SERVFAIL)


def test_an_alias_without_address_ends_all_but_go() -> None:
    assert asked(found(GLIBC, "alias")) == asked(found(MUSL, "alias")) == ["alias.shop.svc."]
    assert asked(found(GO, "alias")) == ["alias.shop.svc.", "alias.svc.", "alias."]


def test_no_data_ends_musl() -> None:
    assert (asked(found(MUSL, "empty")), found(MUSL, "empty").failure) == (["empty.shop.svc."], "NODATA")
    assert len(asked(found(GLIBC, "empty"))) == 3


def test_silent_servers() -> None:
    conf = ResolvConf(("192.0.2.9", SERVER), ("shop.svc",), ("ndots:2",))
    for resolver in RESOLVERS:
        assert found(resolver, "web", conf).addresses == ("10.96.1.1",)
        alone = found(resolver, "web", ResolvConf(("192.0.2.9",)))
        assert alone.failure == "TIMEOUT"


def test_what_cannot_be_seen_is_said() -> None:
    for resolver in RESOLVERS:
        assert found(resolver, "x.hidden.").failure == UNKNOWN


def test_dots_and_long_lines_in_the_search_list() -> None:
    dotted = ResolvConf((SERVER,), ("svc", "."), ("ndots:2",))
    assert asked(found(GLIBC, "nosuch", dotted)) == asked(found(GO, "nosuch", dotted)) == ["nosuch.svc.", "nosuch."]
    assert found(MUSL, "nosuch", dotted).failure == "TIMEOUT"
    long = ResolvConf((SERVER,), ("shop.svc", *(["x" * 60 + ".example"] * 4)), ("ndots:2",))
    assert found(MUSL, "web", long).failure == NXDOMAIN
    assert found(GLIBC, "web", long).addresses == ("10.96.1.1",)


def test_without_aaaa() -> None:
    conf = ResolvConf((SERVER,), ("shop.svc",), ("ndots:2", "no-aaaa"))
    assert {step.question.type for step in found(GLIBC, "web", conf).steps} == {"A"}
    assert {step.question.type for step in found(GO, "web", conf).steps} == {"A", "AAAA"}
