"""kube-proxy's choice in small tables, and the hints of slices."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.core import Node, Service
from kubedoctor.cluster.kinds.networking import EndpointSlice
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.services.proxy import IPTABLES, ProxyClient, ProxyVerdict, ServiceProxy
from kubedoctor.replay.services.slices import families_of, planned_slices

NODE = msgspec.convert(
    {
        "metadata": {"name": "n1", "labels": {"topology.kubernetes.io/zone": "a"}},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.168.0.1"}]},
    },
    Node,
)
HERE, ELSEWHERE = {"nodeName": "n1"}, {"nodeName": "n2"}
READY, LEAVING = {"ready": True}, {"ready": False, "serving": True, "terminating": True}
INSIDE, OUTSIDE = ProxyClient(address="10.0.0.9"), ProxyClient(outside=True)


def connect(
    endpoints: list[dict[str, Any]],
    to: str = "10.96.0.5:80",
    client: ProxyClient = INSIDE,
    mode: str = "nftables",
    protocol: str = "TCP",
    **spec: Any,
) -> ProxyVerdict:
    service = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"clusterIP": "10.96.0.5", "ports": [{"port": 80, "nodePort": 30080}], **spec},
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.5"}]}},
    }
    rows = [{"addresses": [f"10.0.0.{place}"], **endpoint} for place, endpoint in enumerate(endpoints, 1)]
    slices = {
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
        "ports": [{"port": 8080, "protocol": "TCP"}],
        "endpoints": rows,
    }
    proxy = ServiceProxy(
        [msgspec.convert(service, Service)], [msgspec.convert(slices, EndpointSlice)], NODE, mode, ("10.96.0.0/16",)
    )
    address, _, port = to.rpartition(":")
    return proxy.connect(address, int(port), protocol, client)


def said(verdict: ProxyVerdict) -> str:
    return " ".join([verdict.fate.value, *(row.address for row in verdict.endpoints)])


def row(place: dict[str, Any], conditions: dict[str, Any] | None = None, zone: str = "") -> dict[str, Any]:
    hints = {"hints": {"forZones": [{"name": zone}]}} if zone else {}
    return {**place, "conditions": conditions or READY, **hints}


@pytest.mark.parametrize(
    ("endpoints", "spec", "expected"),
    [
        ([row(HERE), row(ELSEWHERE)], {}, "sent 10.0.0.1 10.0.0.2"),
        ([], {}, "refused"),
        ([row(HERE, {"ready": False, "serving": False})], {}, "refused"),
        ([row(HERE, LEAVING)], {}, "sent 10.0.0.1"),
        ([row(HERE, LEAVING), row(HERE)], {}, "sent 10.0.0.2"),
        ([row(HERE), row(ELSEWHERE)], {"internalTrafficPolicy": "Local"}, "sent 10.0.0.1"),
        ([row(ELSEWHERE)], {"internalTrafficPolicy": "Local"}, "dropped"),
        ([], {"internalTrafficPolicy": "Local"}, "refused"),
        ([row(HERE, zone="b"), row(ELSEWHERE, zone="a")], {}, "sent 10.0.0.2"),
        ([row(HERE, zone="b"), row(ELSEWHERE, zone="c")], {}, "sent 10.0.0.1 10.0.0.2"),
        ([row(HERE, zone="a"), row(ELSEWHERE)], {}, "sent 10.0.0.1 10.0.0.2"),
        ([row({**HERE, "hints": {"forNodes": [{"name": "n1"}]}}), row(ELSEWHERE)], {}, "sent 10.0.0.1 10.0.0.2"),
    ],
)
def test_endpoints(endpoints: list[dict[str, Any]], spec: dict[str, Any], expected: str) -> None:
    assert said(connect(endpoints, **spec)) == expected


@pytest.mark.parametrize(
    ("to", "client", "mode", "spec", "expected"),
    [
        ("192.168.0.1:30080", OUTSIDE, "nftables", {}, "sent 10.0.0.1"),
        ("192.168.0.1:30080", OUTSIDE, "nftables", {"externalTrafficPolicy": "Local"}, "dropped"),
        ("192.168.0.1:30080", INSIDE, "nftables", {"externalTrafficPolicy": "Local"}, "sent 10.0.0.1"),
        ("192.168.0.1:30081", OUTSIDE, "nftables", {}, "local"),
        ("127.0.0.1:30080", INSIDE, "nftables", {}, "local"),
        ("127.0.0.1:30080", INSIDE, IPTABLES, {}, "sent 10.0.0.1"),
        ("203.0.113.5:80", OUTSIDE, "nftables", {}, "sent 10.0.0.1"),
        ("203.0.113.5:81", OUTSIDE, "nftables", {}, "routed"),
        ("203.0.113.5:80", INSIDE, "nftables", {"loadBalancerSourceRanges": ["192.0.2.0/24"]}, "dropped"),
        ("203.0.113.5:80", INSIDE, "nftables", {"loadBalancerSourceRanges": ["10.0.0.0/8"]}, "sent 10.0.0.1"),
        ("192.0.2.7:80", INSIDE, "nftables", {"externalIPs": ["192.0.2.7"]}, "sent 10.0.0.1"),
        ("10.96.0.5:81", INSIDE, "nftables", {}, "refused"),
        ("10.96.0.5:81", INSIDE, IPTABLES, {}, "routed"),
        ("10.96.9.9:80", INSIDE, "nftables", {}, "dropped"),
        ("10.96.9.9:80", INSIDE, IPTABLES, {}, "routed"),
        ("8.8.8.8:80", INSIDE, "nftables", {}, "routed"),
    ],
)
def test_addresses(to: str, client: ProxyClient, mode: str, spec: dict[str, Any], expected: str) -> None:
    assert said(connect([row(ELSEWHERE)], to, client, mode, **spec)) == expected


def test_the_protocol_counts() -> None:
    assert said(connect([row(HERE)], protocol="UDP")) == "refused"


@pytest.mark.parametrize(
    ("distribution", "zones", "nodes"),
    [
        (None, None, None),
        ("PreferClose", ("a",), None),
        ("PreferSameZone", ("a",), None),
        ("PreferSameNode", ("a",), ("n1",)),
    ],
)
def test_hints(distribution: str | None, zones: Any, nodes: Any) -> None:
    pod = {
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": {"nodeName": "n1", "containers": []},
        "status": {"phase": "Running", "podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]},
    }
    service = msgspec.convert({"metadata": {"name": "s"}, "spec": {"trafficDistribution": distribution}}, Service)
    planned = planned_slices(service, [msgspec.convert(pod, Pod)], [NODE])
    rows = [endpoint for part in planned for endpoint in part.endpoints]
    assert [(endpoint.zones, endpoint.nodes) for endpoint in rows] == [(zones, nodes)]


@pytest.mark.parametrize(
    ("spec", "families"),
    [
        ({"clusterIP": "10.96.0.1"}, ("IPv4",)),
        ({"clusterIP": "fd00::1"}, ("IPv6",)),
        ({"clusterIP": "None"}, ("IPv4", "IPv6")),
        ({"clusterIP": "None", "ipFamilies": ["IPv6"]}, ("IPv6",)),
    ],
)
def test_families(spec: dict[str, Any], families: tuple[str, ...]) -> None:
    assert families_of(msgspec.convert({"spec": spec}, Service)) == families
