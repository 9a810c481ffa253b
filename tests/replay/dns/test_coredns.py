"""CoreDNS in small tables: Corefiles that load or do not, and who answers what."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster.kinds.core import Namespace, Service
from kubedoctor.cluster.kinds.networking import EndpointSlice
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.dns.coredns.kubernetes import DnsObjects
from kubedoctor.replay.dns.coredns.loading import LoadingContext, loaded, split_zone
from kubedoctor.replay.dns.coredns.records import NOERROR, DnsQuestion, DnsRecord, DnsReply
from kubedoctor.replay.dns.coredns.serving import CoreDns
from kubedoctor.replay.dns.coredns.syntax import CorefileProblem, server_blocks
from kubedoctor.testing.asked import State


def problem(text: str, **around: Any) -> str:
    try:
        loaded(text, LoadingContext(**around))
    except CorefileProblem as found:
        return str(found)
    return ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (". {\n errors\n}\n", ""),
        (". {\n import extra\n}", "Corefile:2 - Error during parsing: File to import not found: extra"),
        (". {\n import extra/*.conf\n errors\n}", ""),
        ("(own) {\n errors\n}\n. {\n import own\n}", ""),
        (". {\n nosuch\n}", "Corefile:2 - Error during parsing: Unknown directive 'nosuch'"),
        (". {\n errors {\n", "Unexpected EOF"),
        (". {\n errors\n", "expecting '}'"),
        ("a, {\n}", "check for extra comma"),
        (". {\n errors # a comment {\n}", ""),
        ('. {\n forward . "192.0.2.1"\n}', ""),
        (". {\n forward . /etc/resolv.conf\n}", ""),
        (". {\n forward . tls://192.0.2.1 [2001:db8::1]:53 192.0.2.2:5353\n}", ""),
        (". {\n forward . 192.0.2.1 {\n  polcy random\n }\n}", "unknown property 'polcy'"),
        (". {\n forward . 192.0.2.1 {\n  policy\n }\n}", "Wrong argument count"),
        (". {\n kubernetes a {\n  ttl 3601\n }\n}", "ttl must be in range"),
        (". {\n kubernetes a {\n  ttl x\n }\n}", "invalid syntax"),
        (". {\n kubernetes a {\n  ignore all\n }\n}", "unable to parse ignore value"),
        (". {\n cache 30 {\n  success\n }\n}", "Wrong argument count"),
        (". {\n reload soon\n}", "invalid duration"),
        (". {\n reload 1s\n}", "greater or equal to 2s"),
        (". {\n reload\n}", ""),
        ("a {\n}\nA. {\n}", "it is already defined"),
        (".:70000 {\n}", "invalid port"),
        (". {\n loop\n forward . 127.0.0.1\n}", "plugin/loop: Loop"),
        (". {\n forward . 127.0.0.1\n}", ""),
        (". {\n rewrite name regex ( x\n}", "invalid regex"),
        (". {\n acl {\n  alow net 10.0.0.0/8\n }\n}", 'Corefile:3 - Error during parsing: unexpected token "alow"'),
        (". {\n acl {\n  allow 10.0.0.0/8\n }\n}", "expect 'type | net'"),
        (". {\n acl {\n  allow net\n }\n}", 'no token specified in "net" section'),
        (". {\n acl {\n  allow net 10.0.0.0/33\n }\n}", 'illegal CIDR notation "10.0.0.0/33"'),
        (". {\n acl {\n  allow net 10.0.0.1 type A\n  block\n }\n}", ""),
    ],
)
def test_loading(text: str, words: str) -> None:
    found = problem(text)
    assert words in found if words else found == ""


def test_what_surrounds_a_corefile_decides_too() -> None:
    assert "address already in use" in problem(".:8080 {\n}", taken=frozenset({8080}))
    assert "KUBERNETES_SERVICE_HOST" in problem(". {\n kubernetes a\n}", in_pod=False)
    assert "failed to resolve" in problem(". {\n forward . dns.example\n}")
    assert problem(". {\n forward . dns.example\n}", resolves=True) == ""
    assert problem(". {\n import extra\n}", files={"extra": "errors\n"}) == ""
    assert "stat kc" in problem(". {\n kubernetes a {\n kubeconfig kc\n }\n}")


def test_snippets_take_arguments_and_variables_are_read() -> None:
    blocks = server_blocks(
        "(up) {\n forward {args[0]} {$UP}\n}\n. {\n import up example.com\n}", {}, {"UP": "192.0.2.1"}
    )
    assert blocks[0].plugins[0].head == ("example.com", "192.0.2.1")


def test_stray_braces_are_no_options() -> None:
    assert said(". {\n hosts {\n  192.0.2.7 a.example\n {  }\n }\n}", "a.example") == "NOERROR 192.0.2.7"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (".", (".", "53")),
        ("Example.COM:1053", ("example.com.", "1053")),
        ("dns://.", (".", "53")),
        ("10.96.0.0/16", ("96.10.in-addr.arpa.", "53")),
        ("fd00::/8", ("d.f.ip6.arpa.", "53")),
    ],
)
def test_zones_of_keys(key: str, expected: tuple[str, str]) -> None:
    assert split_zone(key) == expected


def service(name: str, cluster_ip: str = "10.96.0.5", **spec: Any) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"clusterIP": cluster_ip, "ports": [{"name": "http", "port": 80}], **spec},
    }


def slice_of(name: str, **endpoint: Any) -> dict[str, Any]:
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": "shop", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [{"addresses": ["10.0.0.1"], **endpoint}],
    }


OBJECTS = [
    {"kind": "Namespace", "metadata": {"name": "shop", "labels": {"dns": "yes"}}},
    {"kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "spec": {}, "status": {"podIP": "10.0.0.1"}},
    service("web"),
    service("db", "None"),
    slice_of("db", hostname="db-0"),
    service("waiting", "None"),
    slice_of("waiting", conditions={"ready": False}),
    service("out", "", type="ExternalName", externalName="www.example.com"),
    service("number", "", type="ExternalName", externalName="192.0.2.1"),
]
KUBERNETES = "cluster.local in-addr.arpa"


def server(text: str) -> CoreDns:
    state = State(OBJECTS)
    objects = DnsObjects(state.of(Namespace), state.of(Service), state.of(EndpointSlice), state.of(Pod))
    return CoreDns(loaded(text), objects, {"192.0.2.53": outside}.get)


def outside(question: DnsQuestion) -> DnsReply:
    return DnsReply(NOERROR, (DnsRecord(question.name, question.type, "192.0.2.80"),), "outside")


def said(corefile: str, name: str, kind: str = "A") -> str:
    reply = server(corefile).ask(DnsQuestion(f"{name}.", kind))
    return " ".join([reply.rcode, *(record.data for record in reply.answers)])


STANDARD = (
    f". {{\n kubernetes {KUBERNETES} {{\n  pods insecure\n  fallthrough in-addr.arpa\n }}\n forward . 192.0.2.53\n}}"
)


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("web.shop.svc.cluster.local", "A", "NOERROR 10.96.0.5"),
        ("WEB.shop.svc.cluster.local", "A", "NOERROR 10.96.0.5"),
        ("web.shop.svc.cluster.local", "AAAA", "NOERROR"),
        ("web.shop.svc.cluster.local", "MX", "NOERROR"),
        ("web.shop.svc.cluster.local", "SRV", "NOERROR 0 100 80 web.shop.svc.cluster.local."),
        ("_http._tcp.web.shop.svc.cluster.local", "A", "NOERROR 10.96.0.5"),
        ("_http._udp.web.shop.svc.cluster.local", "A", "NXDOMAIN"),
        ("db.shop.svc.cluster.local", "A", "NOERROR 10.0.0.1"),
        ("db-0.db.shop.svc.cluster.local", "A", "NOERROR 10.0.0.1"),
        ("db-1.db.shop.svc.cluster.local", "A", "NXDOMAIN"),
        ("waiting.shop.svc.cluster.local", "A", "NXDOMAIN"),
        ("out.shop.svc.cluster.local", "A", "NOERROR www.example.com. 192.0.2.80"),
        ("out.shop.svc.cluster.local", "CNAME", "NOERROR www.example.com."),
        ("number.shop.svc.cluster.local", "A", "NXDOMAIN"),
        ("nosuch.shop.svc.cluster.local", "A", "NXDOMAIN"),
        ("nosuch.shop.svc.cluster.local", "TXT", "NXDOMAIN"),
        ("web.nosuch.svc.cluster.local", "A", "NXDOMAIN"),
        ("shop.svc.cluster.local", "A", "NOERROR"),
        ("svc.cluster.local", "A", "NOERROR"),
        ("cluster.local", "SOA", "NOERROR ns.dns.cluster.local. hostmaster.cluster.local."),
        ("dns-version.cluster.local", "TXT", 'NOERROR "1.1.0"'),
        ("1-2-3-4.shop.pod.cluster.local", "A", "NOERROR 1.2.3.4"),
        ("5.0.96.10.in-addr.arpa", "PTR", "NOERROR web.shop.svc.cluster.local."),
        ("1.0.0.10.in-addr.arpa", "PTR", "NOERROR db-0.db.shop.svc.cluster.local."),
        ("9.9.9.9.in-addr.arpa", "PTR", "NOERROR 192.0.2.80"),
        ("www.example.com", "A", "NOERROR 192.0.2.80"),
    ],
)
def test_answers(name: str, kind: str, expected: str) -> None:
    assert said(STANDARD, name, kind) == expected


@pytest.mark.parametrize(
    ("body", "name", "expected"),
    [
        ("kubernetes cluster.local", "www.example.com", "SERVFAIL"),
        ("kubernetes cluster.local {\n namespaces other\n}", "web.shop.svc.cluster.local", "NXDOMAIN"),
        ("kubernetes cluster.local {\n namespace_labels dns=yes\n}", "web.shop.svc.cluster.local", "NOERROR 10.96.0.5"),
        ("kubernetes cluster.local {\n labels a=b\n}", "web.shop.svc.cluster.local", "NXDOMAIN"),
        ("kubernetes cluster.local {\n ignore empty_service\n}", "web.shop.svc.cluster.local", "NXDOMAIN"),
        ("kubernetes cluster.local {\n noendpoints\n}", "db.shop.svc.cluster.local", "NXDOMAIN"),
        ("kubernetes cluster.local {\n pods verified\n}", "10-0-0-1.shop.pod.cluster.local", "NOERROR 10.0.0.1"),
        ("kubernetes cluster.local {\n pods verified\n}", "10-0-0-2.shop.pod.cluster.local", "NXDOMAIN"),
        ("kubernetes cluster.local", "10-0-0-1.shop.pod.cluster.local", "NXDOMAIN"),
        ("forward . 192.0.2.99", "www.example.com", "SERVFAIL"),
        ("forward . 192.0.2.53 {\n except example.com\n}", "www.example.com", "SERVFAIL"),
        ("hosts {\n 192.0.2.7 a.example\n}", "a.example", "NOERROR 192.0.2.7"),
        ("hosts {\n 192.0.2.7 a.example\n}\nforward . 192.0.2.53", "b.example", "SERVFAIL"),
        ("hosts {\n 192.0.2.7 a.example\n fallthrough\n}\nforward . 192.0.2.53", "b.example", "NOERROR 192.0.2.80"),
        ("acl example.com {\n block\n}\nforward . 192.0.2.53", "www.example.com", "REFUSED"),
        ("acl {\n filter type A\n}\nforward . 192.0.2.53", "www.example.com", "NOERROR"),
        ('template IN A example.com {\n answer "{{ .Name }} 60 IN A 192.0.2.9"\n}', "x.example.com", "NOERROR 192.0.2.9"),
        ("template ANY ANY example.com {\n rcode NXDOMAIN\n}", "x.example.com", "NXDOMAIN"),
        ("template ANY A {\n match ^a\n rcode NXDOMAIN\n}", "b.example", "SERVFAIL"),
        ("rewrite name old.example web.shop.svc.cluster.local\nkubernetes cluster.local", "old.example", "NOERROR 10.96.0.5"),
        ("rewrite name prefix my- db-\nkubernetes cluster.local", "my-0.db.shop.svc.cluster.local", "NOERROR 10.0.0.1"),
    ],
)  # fmt: skip
def test_plugins(body: str, name: str, expected: str) -> None:
    assert said(f". {{\n{body}\n}}", name) == expected


@pytest.mark.parametrize(
    ("rules", "client", "expected"),
    [
        ("acl {\n allow net 10.0.0.0/8\n block\n}", "10.1.2.3", "NOERROR 192.0.2.80"),
        ("acl {\n allow net 10.0.0.0/8\n block\n}", "192.168.0.1", "REFUSED"),
        ("acl {\n allow net 10.0.0.0/8\n block\n}", "", "UNKNOWN"),
        ("acl {\n allow net 10.0.0.0/8\n}", "", "NOERROR 192.0.2.80"),
        ("acl {\n drop net 10.1.2.3\n}", "10.1.2.3", "no answer"),
        ("acl {\n drop net 10.1.2.3\n}", "10.1.2.4", "NOERROR 192.0.2.80"),
        ("acl {\n block type AAAA net *\n}", "10.1.2.3", "NOERROR 192.0.2.80"),
        ("acl {\n BLOCK net 10.1.0.0/16 type A TXT\n}", "10.1.2.3", "REFUSED"),
        ("acl {\n filter net 2001:db8::/32\n}", "2001:db8::1", "NOERROR"),
        ("acl {\n filter net 2001:db8::/32\n}", "10.1.2.3", "NOERROR 192.0.2.80"),
        ("acl example.com {\n allow net 10.0.0.0/8\n}\nacl {\n block\n}", "10.1.2.3", "NOERROR 192.0.2.80"),
        ("acl example.org {\n allow net 10.0.0.0/8\n}\nacl {\n block\n}", "10.1.2.3", "REFUSED"),
        ("acl {\n block net 10.9.0.0/16\n}\nacl {\n block\n}", "10.1.2.3", "REFUSED"),
    ],
)
def test_who_may_ask(rules: str, client: str, expected: str) -> None:
    text = f". {{\n{rules}\nforward . 192.0.2.53\n}}"
    reply = CoreDns(loaded(text), DnsObjects((), (), (), ()), {"192.0.2.53": outside}.get, client=client).ask(
        DnsQuestion("www.example.com.", "A")
    )
    assert " ".join([reply.rcode, *(record.data for record in reply.answers)]) == expected


def test_the_block_with_the_longest_zone_answers() -> None:
    corefile = "example.com {\n forward . 192.0.2.53\n}\na.example.com {\n errors\n}"
    assert said(corefile, "www.example.com") == "NOERROR 192.0.2.80"
    assert said(corefile, "x.a.example.com") == "SERVFAIL"
    assert said(corefile, "www.example.net") == "REFUSED"
