"""`reach` to addresses: those by which a Service is entered from without, those of nobody, and loopback."""

from __future__ import annotations

import pytest

from kubedoctor.answers.sheet import Conclusion
from kubedoctor.cluster import Ref
from kubedoctor.problems import UsageProblem
from tests.answers.reach.situations import BASE, DENY_INGRESS, Manifest, asked, hops, pod, policy, service

PUBLISHED = {
    **service("data", "db", type="LoadBalancer", externalIPs=["198.51.100.9"]),
    "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}},
}
PUBLISHED["spec"]["ports"][0]["nodePort"] = 30081
ENTERED = [*(row for row in BASE if row["kind"] != "Service"), PUBLISHED]
ENTRANCES = ["203.0.113.7:80", "198.51.100.9:80", "192.168.0.1:30081", "node/n1:30081"]


@pytest.mark.parametrize("destination", ENTRANCES)
def test_policies_of_the_pods_behind_an_entrance_count(destination: str) -> None:
    denied = asked(destination, *ENTERED, DENY_INGRESS)
    assert denied.conclusion is Conclusion.TROUBLE
    assert denied.verdict == "does not reach it: NetworkPolicy data/deny denies ingress"
    assert any("leads to Service data/db" in hop for hop in hops(denied))
    assert asked(destination, *ENTERED).verdict == "reaches 1 endpoint of Service data/db"


def entered_locally(on: str) -> list[Manifest]:
    """A Service that keeps outsiders on the node that they come to; its endpoint is on the node `on`."""
    local = {**PUBLISHED, "spec": {**PUBLISHED["spec"], "externalTrafficPolicy": "Local"}}
    listed: Manifest = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "db-1", "namespace": "data", "labels": {"kubernetes.io/service-name": "db"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.2"], "nodeName": on, "conditions": {"ready": True}}],
        "ports": [{"name": port.get("name", ""), "port": 8080} for port in PUBLISHED["spec"]["ports"]],
    }
    return [*(row for row in BASE if row["kind"] not in ("Service", "EndpointSlice")), local, listed]


OUTSIDER = Ref("Address", "", "198.51.100.200")


@pytest.mark.parametrize("destination", ["192.168.0.1:30081", "node/n1:30081"])
def test_a_node_without_a_local_endpoint_drops_what_comes_from_outside(destination: str) -> None:
    sheet = asked(destination, *entered_locally("n2"), subject=OUTSIDER)
    assert sheet.verdict == (
        "does not reach it (times out): Service data/db has no endpoint on node n1 (spec.externalTrafficPolicy Local)"
    )
    assert asked(destination, *entered_locally("n1"), subject=OUTSIDER).conclusion is Conclusion.WELL
    # Pods, the node itself and a load balancer are not kept there.
    assert asked(destination, *entered_locally("n2")).conclusion is Conclusion.WELL
    node = Ref("Node", "", "n1")
    assert asked(destination, *entered_locally("n2"), subject=node).conclusion is not Conclusion.TROUBLE
    assert asked("203.0.113.7:80", *entered_locally("n2"), subject=OUTSIDER).conclusion is not Conclusion.TROUBLE


@pytest.mark.parametrize("destination", ENTRANCES)
def test_a_rule_may_see_the_node_in_place_of_the_source(destination: str) -> None:
    rule: Manifest = {"from": [{"namespaceSelector": {}}]}
    sheet = asked(destination, *ENTERED, policy("data", policyTypes=["Ingress"], ingress=[rule]))
    assert sheet.conclusion is Conclusion.UNKNOWN
    assert "the address of a node" in sheet.verdict


def test_the_node_of_a_pod_is_known_without_its_node() -> None:
    rows = [row for row in ENTERED if row["kind"] not in ("Node", "Pod")]
    pods = [pod("shop", "web", "10.0.0.1", hostIP="192.168.0.7"), pod("data", "db", "10.0.0.2")]
    sheet = asked("192.168.0.7:30081", *rows, *pods, DENY_INGRESS)
    assert sheet.conclusion is Conclusion.TROUBLE


@pytest.mark.parametrize(
    "destination",
    ["192.168.0.1:30082", "node/n1:9999", "203.0.113.7:81", "10.96.0.77:80", "10.0.0.77:80", "[2001:db8::1]:80"],
)
def test_what_answers_at_other_addresses_is_not_known(destination: str) -> None:
    sheet = asked(destination, *ENTERED)
    assert sheet.conclusion is Conclusion.UNKNOWN
    assert sheet.verdict.startswith("no policy blocks it; what answers at ")
    assert sheet.data is not None
    assert sheet.data["reaches"] is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "[::1]"])
def test_loopback_is_the_pod_itself(host: str) -> None:
    everything = policy("shop", policyTypes=["Ingress", "Egress"])
    sheet = asked(f"{host}:8080", *BASE, everything)
    assert (sheet.verdict, sheet.conclusion) == ("reaches the pod itself", Conclusion.WELL)
    assert any("Pod shop/web itself" in hop for hop in hops(sheet))
    assert not any("isolates" in hop for hop in hops(sheet))
    assert asked(f"{host}:81", *BASE).conclusion is Conclusion.UNKNOWN
    of_node = asked(f"{host}:81", *BASE, subject=Ref("Node", "", "n1"))
    assert of_node.verdict == "no policy blocks it; what answers at the node itself on 81/TCP is not known"


def test_a_pod_and_its_own_address() -> None:
    sheet = asked("10.0.0.1:8080", *BASE, policy("shop", policyTypes=["Ingress", "Egress"]))
    assert sheet.conclusion is Conclusion.WELL
    assert "✓ ingress: no policy applies to a pod's connections to itself" in hops(sheet)


def test_addresses_that_are_none() -> None:
    with pytest.raises(UsageProblem, match="not an IP address"):
        asked("999.1.1.1:80", *BASE)


def test_pods_that_have_ended() -> None:
    ended = pod("shop", "job", "10.0.0.8", phase="Succeeded")
    target = asked("pod/job:8080", *BASE, ended)
    assert target.conclusion is Conclusion.TROUBLE
    assert "Pod shop/job has ended (Succeeded)" in target.verdict
    source = asked("db.data:80", *BASE, ended, subject=Ref("Pod", "shop", "job"))
    assert source.conclusion is Conclusion.UNKNOWN
    assert source.verdict == "policies allow it, but Pod shop/job has ended and connects no more"


def test_a_misspelled_service() -> None:
    assert asked("paymets:80", *BASE, service("shop", "payments")).verdict.endswith("; did you mean payments?")


def test_a_fix_names_the_workload_that_was_asked_about() -> None:
    rows = {}
    for namespace, name in (("shop", "front"), ("data", "store")):
        rows[name] = {
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}}}},
        }
    front = Ref("Deployment", "shop", "front")
    (fix,) = asked("db.data:80", *BASE, rows["front"], DENY_INGRESS, subject=front).fixes
    assert fix.summary.startswith("Allow ingress from Deployment shop/front on TCP 8080")


def closed(*ranges: str) -> list[Manifest]:
    """The published Service, whose load balancer is open for some ranges only."""
    spec = {**PUBLISHED["spec"], "loadBalancerSourceRanges": list(ranges)}
    return [*(row for row in ENTERED if row is not PUBLISHED), {**PUBLISHED, "spec": spec}]


def test_source_ranges_close_the_balancers_address_and_no_other() -> None:
    sheet = asked("203.0.113.7:80", *closed("198.51.100.0/24"))
    assert sheet.conclusion is Conclusion.TROUBLE
    assert sheet.verdict == (
        "does not reach it (times out): Service data/db is open at 203.0.113.7 for 198.51.100.0/24 only"
        " (spec.loadBalancerSourceRanges), not for 10.0.0.1"
    )
    assert asked("203.0.113.7:80", *closed("10.0.0.0/8")).conclusion is Conclusion.WELL
    for other in ("192.168.0.1:30081", "node/n1:30081", "198.51.100.9:80"):
        assert asked(other, *closed("198.51.100.0/24")).conclusion is Conclusion.WELL


def test_a_balancers_health_check_of_a_node() -> None:
    spec = {**PUBLISHED["spec"], "externalTrafficPolicy": "Local", "healthCheckNodePort": 32123}
    rows = [*(row for row in ENTERED if row is not PUBLISHED), {**PUBLISHED, "spec": spec}]
    second = {
        "kind": "Node",
        "metadata": {"name": "n2"},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.168.0.2"}]},
    }
    failing = asked("node/n2:32123", *rows, second)
    assert failing.conclusion is Conclusion.TROUBLE
    assert "(503): health check of Service data/db: the node has no ready endpoint" in failing.verdict
    assert asked("node/n1:32123", *rows, second).conclusion is Conclusion.UNKNOWN
