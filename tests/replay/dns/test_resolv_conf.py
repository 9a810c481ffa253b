"""The kubelet's resolv.conf in small tables."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.dns.clients.resolv_conf import (
    KubeletDns,
    ResolvConf,
    dns_refusals,
    falls_back,
    lacks_server,
    parse_resolv_conf,
    resolv_conf_of,
)

KUBELET = KubeletDns(
    ("10.96.0.10",), "cluster.local", "search corp.example .\nnameserver 192.0.2.1\noptions timeout:3\n"
)
OWN = ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local")


def pod(**spec: Any) -> Pod:
    return msgspec.convert({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": [], **spec}}, Pod)


@pytest.mark.parametrize(
    ("spec", "servers", "searches", "options"),
    [
        ({}, ("10.96.0.10",), (*OWN, "corp.example"), ("ndots:5",)),
        ({"dnsPolicy": "Default"}, ("192.0.2.1",), ("corp.example",), ("timeout:3",)),
        ({"hostNetwork": True}, ("192.0.2.1",), ("corp.example",), ("timeout:3",)),
        ({"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}, ("10.96.0.10",), (*OWN, "corp.example"), ("ndots:5",)),
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["192.0.2.9"]}}, ("192.0.2.9",), (), ()),
        (
            {"dnsConfig": {"searches": ["cluster.local", "b"], "options": [{"name": "ndots", "value": "1"}, {"name": "edns0"}]}},
            ("10.96.0.10",),
            (*OWN, "corp.example", "b"),
            ("ndots:1", "edns0"),
        ),
    ],
)  # fmt: skip
def test_policies(spec: dict[str, Any], servers: Any, searches: Any, options: Any) -> None:
    assert resolv_conf_of(pod(**spec), KUBELET) == ResolvConf(servers, searches, options)


def test_without_a_cluster_dns_the_nodes_file_is_used_and_said() -> None:
    kubelet = KubeletDns((), node_file="nameserver 192.0.2.1")
    conf = resolv_conf_of(pod(), kubelet)
    assert conf.servers == ("192.0.2.1",)
    assert [event.split()[0] for event in conf.left_out] == ["MissingClusterDNS", "MissingClusterDNS"]
    assert falls_back(pod(), kubelet)
    assert not falls_back(pod(dnsPolicy="Default"), kubelet)


def test_without_a_file_the_node_itself_is_asked() -> None:
    kubelet = KubeletDns(node_file=None, node_addresses=("192.0.2.7", "fd00::7"))
    conf = resolv_conf_of(pod(dnsPolicy="Default"), kubelet)
    assert (conf.servers, conf.searches) == (("127.0.0.1", "::1"), (".",))


def test_limits() -> None:
    many = [f"s{number}.example.com" for number in range(40)]
    config = {"nameservers": ["192.0.2.1", "192.0.2.2", "192.0.2.3"], "searches": [*many, "x" * 254]}
    conf = resolv_conf_of(pod(dnsConfig=config), KUBELET)
    assert len(conf.servers) == 3
    assert len(conf.searches) == 32
    assert [event.split(" were")[0] for event in conf.left_out] == [
        "DNSConfigForming Nameserver limits",
        "DNSConfigForming Search Line limits",
    ]


def test_a_node_file() -> None:
    text = "# c\nsearch a.\nsearch b. . c\nnameserver 1.1.1.1 # x\noptions ndots:1 rotate\noptions ndots:2\ndomain d\n"
    assert parse_resolv_conf(text) == ResolvConf(("1.1.1.1",), ("b", "c"), ("ndots:2", "rotate"))
    assert not lacks_server(text)
    assert lacks_server("nameserver\n")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"dnsPolicy": "None"}, "must provide `dnsConfig`"),
        ({"dnsPolicy": "None", "dnsConfig": {}}, "at least one DNS nameserver"),
        ({"dnsPolicy": "Sometimes"}, "Unsupported value"),
        ({"dnsConfig": {"nameservers": ["1.1.1.1"] * 4}}, "more than 3 nameservers"),
        ({"dnsConfig": {"nameservers": ["dns.example"]}}, "must be a valid IP address"),
        ({"dnsConfig": {"searches": ["a"] * 33}}, "more than 32 search paths"),
        ({"dnsConfig": {"searches": ["a" * 200] * 11}}, "2048 characters"),
        ({"dnsConfig": {"options": [{"value": "1"}]}}, "must not be empty"),
    ],
)
def test_refusals(spec: dict[str, Any], words: str) -> None:
    found = list(dns_refusals(pod(**spec)))
    assert len(found) == 1
    assert words in found[0]
    assert list(dns_refusals(pod(dnsConfig={"searches": ["a"]}))) == []
