"""`reach`: each hop of a connection, who decides, and what would allow it."""

from __future__ import annotations

import pytest

from kubedoctor.answers.sheet import Conclusion
from kubedoctor.cluster import Ref
from kubedoctor.cluster.kinds.admin_policies import GROUP
from kubedoctor.problems import NoSuchObject, UsageProblem
from tests.answers.reach.situations import (
    BASE,
    DB,
    DENY_EGRESS,
    DENY_INGRESS,
    NODE,
    OTHER,
    WEB,
    Manifest,
    asked,
    hops,
    pod,
    policy,
    service,
    slices,
    space,
)


@pytest.mark.parametrize(
    "destination",
    ["db.data:80", "db.data", "db.data.svc.cluster.local:80", "10.96.0.5:80", "http://db.data/x", "HTTP://DB.data"],
)
def test_a_service_is_reached(destination: str) -> None:
    sheet = asked(destination, *BASE)
    assert (sheet.verdict, sheet.conclusion) == ("reaches 1 endpoint of Service data/db", Conclusion.WELL)
    assert hops(sheet) == [
        "✓ from Pod shop/web (10.0.0.1)",
        "✓ Service data/db (ClusterIP 10.96.0.5)",
        "✓ port 80 → Pod data/db:8080",
        "✓ egress: no policy isolates Pod shop/web",
        "✓ ingress: no policy isolates Pod data/db",
        "✓ Pod data/db declares port 8080/TCP",
    ]
    assert sheet.data is not None
    assert sheet.data["connections"] == [{"src": "shop/web[Pod]", "dst": "data/db[Pod]", "conn": "All Connections"}]


@pytest.mark.parametrize("destination", ["pod/db.data:8080", "10.0.0.2:8080"])
def test_a_pod_is_reached(destination: str) -> None:
    assert asked(destination, *BASE).verdict == "reaches the target"


@pytest.mark.parametrize(
    ("manifests", "words"),
    [
        ((), "db.data does not resolve: there is no Service data/db"),
        ((service("data", "db"), slices("shop", "web")), "Service data/db has no ready endpoints: 1 of 1 pod with app=db ready"),
        ((service("data", "db", selector={"app": "d"}),), "no pod matches its selector app=d"),
        ((service("data", "db", selector=None),), "it has no selector"),
        ((service("data", "db", target="http"), slices("data", "db")), "targets port name http, which no ready pod has for TCP"),
        ((service("data", "db", ports=[{"port": 81}]),), "has no port 80/TCP: it has 81/TCP"),
        ((service("data", "db", ports=[{"port": 80, "protocol": "UDP"}]),), "has no port 80/TCP: it has 80/UDP"),
        ((service("data", "db", "None"), slices("data", "db", ("db", "10.0.0.2"), ready=False)), "is headless and has no ready endpoint"),
    ],
)  # fmt: skip
def test_what_stops_before_the_endpoints(manifests: tuple[Manifest, ...], words: str) -> None:
    sheet = asked("db.data:80", NODE, space("shop"), space("data"), WEB, DB, *manifests)
    assert sheet.conclusion is Conclusion.TROUBLE
    assert words in sheet.verdict
    assert hops(sheet)[-1].startswith("✗")


def test_a_service_of_another_namespace_is_named() -> None:
    assert "db exists in data: write db.data" in asked("db:80", *BASE).verdict


def test_local_traffic_policy_leaves_nobody() -> None:
    local = service("data", "db", internalTrafficPolicy="Local")
    rows = slices("data", "db", ("db", "10.0.0.2"))
    rows["endpoints"][0]["nodeName"] = "n2"
    sheet = asked("db.data:80", NODE, space("shop"), space("data"), WEB, DB, local, rows)
    assert "times out" in sheet.verdict
    assert "no endpoint on the node of the source" in sheet.verdict


def test_ingress_is_denied_and_the_smallest_rule_is_proven() -> None:
    sheet = asked("db.data:80", *BASE, DENY_INGRESS)
    assert sheet.verdict == "does not reach it: NetworkPolicy data/deny denies ingress"
    assert sheet.conclusion is Conclusion.TROUBLE
    (fix,) = sheet.fixes
    assert (fix.summary, fix.verified) == ("Allow ingress from Pod shop/web on TCP 8080", True)
    assert '"podSelector": {"matchLabels": {"app": "web"}}' in fix.command
    assert '"port": 8080' in fix.command


def test_both_directions_are_denied() -> None:
    sheet = asked("db.data:80", *BASE, DENY_INGRESS, DENY_EGRESS)
    assert [fix.verified for fix in sheet.fixes] == [True, True]
    assert [fix.changes for fix in sheet.fixes] == [None, None]
    assert sum("denies it" in link.text for link in sheet.chain) == 2


def test_what_else_a_rule_opens_is_said() -> None:
    rule = {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}],
        "ports": [{"port": 1}],
    }
    sheet = asked("db.data:80", *BASE, policy("data", policyTypes=["Ingress"], ingress=[rule]))
    assert (
        sheet.fixes[0].summary
        == "Allow ingress from Pod shop/web on TCP 8080 (also opens Pod shop/other → Pod data/db)"
    )


def test_a_rule_for_an_address_opens_it_to_the_other_pods_of_the_policy() -> None:
    """A program on the node's network is no further target: it has the address that was asked for."""
    outside = service("data", "api", selector=None, target=6443)
    rows = slices("data", "api", ("", "10.9.0.1"))
    del rows["endpoints"][0]["targetRef"]
    rows["ports"][0]["port"] = 6443
    agent = pod("data", "agent", "10.9.0.1")
    agent["spec"]["hostNetwork"] = True
    sheet = asked("api.data:80", NODE, space("shop"), space("data"), WEB, OTHER, agent, outside, rows, DENY_EGRESS)
    assert [fix.summary for fix in sheet.fixes] == [
        "Allow egress to Service data/api on TCP 6443 (also opens Pod shop/other → Address 10.9.0.1)"
    ]


def test_the_protocol_is_wrong() -> None:
    rule = {"from": [{"namespaceSelector": {}}], "ports": [{"port": 8080, "protocol": "UDP"}]}
    sheet = asked("db.data:80", *BASE, policy("data", policyTypes=["Ingress"], ingress=[rule]))
    assert any("ingress rule 1 does not allow protocol TCP on port 8080" in hop for hop in hops(sheet))


def admin(action: str, tier: str = "", kind: str = "AdminNetworkPolicy") -> Manifest:
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": kind,
        "metadata": {"name": "guard"},
        "spec": {
            "tier": tier,
            "priority": 7,
            "subject": {"namespaces": {}},
            "ingress": [{"name": "r", "action": action, "from": [{"namespaces": {}}]}],
        },
    }


def test_an_administrators_policy_denies() -> None:
    sheet = asked("db.data:80", *BASE, admin("Deny"))
    assert sheet.verdict == "does not reach it: AdminNetworkPolicy guard denies ingress"
    assert any(
        "denies it by ingress rule 1 (r), priority 7; no NetworkPolicy overrides that" in hop for hop in hops(sheet)
    )
    assert [fix.command for fix in sheet.fixes] == [""]


def test_an_administrators_policy_allows_before_others() -> None:
    assert asked("db.data:80", *BASE, DENY_INGRESS, admin("Allow")).conclusion is Conclusion.WELL


def test_some_endpoints_are_denied() -> None:
    second = pod("data", "db2", "10.0.0.4")
    rows = slices("data", "db", ("db", "10.0.0.2"), ("db2", "10.0.0.4"))
    only_one = policy("data", policyTypes=["Ingress"], podSelector={"matchLabels": {"app": "db2"}})
    sheet = asked(
        "db.data:80", NODE, space("shop"), space("data"), WEB, DB, second, service("data", "db"), rows, only_one
    )
    assert sheet.verdict == "reaches only some endpoints: NetworkPolicy data/deny denies ingress for 1 of 2 endpoints"
    assert [[cell.shown for cell in row.cells] for row in sheet.tables[0].rows] == [
        ["Pod data/db", "8080/TCP", "✓", "✓"],
        ["Pod data/db2", "8080/TCP", "✓", "✗"],
    ]


def test_a_port_that_nobody_declares() -> None:
    wrong = service("data", "db", target=9999)
    sheet = asked(
        "db.data:80",
        NODE,
        space("shop"),
        space("data"),
        WEB,
        DB,
        wrong,
        slices("data", "db", ("db", "10.0.0.2"), number=9999),
    )
    assert sheet.verdict == "policies allow it, but no container declares port 9999/TCP"
    assert sheet.conclusion is Conclusion.UNKNOWN


def test_names_outside_of_the_cluster() -> None:
    assert asked("example.com:443", *BASE).verdict == "no policy blocks it on the way out of the cluster to example.com"
    assert asked("example.com:443", *BASE, DENY_EGRESS).conclusion is Conclusion.TROUBLE
    block = policy("shop", policyTypes=["Egress"], egress=[{"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}])
    sheet = asked("example.com:443", *BASE, block)
    assert (sheet.verdict, sheet.conclusion) == (
        "depends on address and port of example.com, which were not seen: a policy decides",
        Conclusion.UNKNOWN,
    )
    external = service("data", "out", "", type="ExternalName", externalName="www.example.com", selector=None)
    assert "www.example.com" in asked("out.data:80", *BASE, external).verdict


def test_addresses_outside_of_the_cluster() -> None:
    block = policy("shop", policyTypes=["Egress"], egress=[{"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}])
    allowed = asked("192.0.2.9:443", *BASE, block)
    assert allowed.conclusion is Conclusion.UNKNOWN
    assert allowed.verdict == "no policy blocks it; what answers at 192.0.2.9 on 443/TCP is not known"
    sheet = asked("198.51.100.1:443", *BASE, block)
    assert sheet.conclusion is Conclusion.TROUBLE
    assert "198.51.100.1/32" in sheet.fixes[0].command


def test_a_workload_without_pods_stands_by_its_template() -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}}
    deployment = {
        "kind": "Deployment",
        "metadata": {"name": "front", "namespace": "shop"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "front"}}, "template": template},
    }
    sheet = asked("db.data:80", *BASE, deployment, DENY_INGRESS, subject=Ref("Deployment", "shop", "front"))
    assert "? from the pod template of Deployment shop/front: no pod exists" in hops(sheet)
    assert sheet.conclusion is Conclusion.TROUBLE


def test_a_node_reaches_its_own_pods() -> None:
    assert asked("pod/db.data:8080", *BASE, DENY_INGRESS, subject=Ref("Node", "", "n1")).conclusion is Conclusion.WELL


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(NoSuchObject):
        asked("db.data:80", *BASE, subject=Ref("Pod", "shop", "nosuch"))
    with pytest.raises(NoSuchObject, match="Pod shop/nosuch not found"):
        asked("pod/nosuch:80", *BASE)


@pytest.mark.parametrize(
    ("destination", "words"),
    [
        ("db.data:80/FTP", "'FTP' is not a protocol"),
        ("db.data:70000", "70000 is not a port"),
        ("pods/db.data", "lacks a port number"),
        ("serivce/db:80", "'serivce' is not a kind"),
        ("configmap/x:80", "has no address"),
        ("db.data:-1", "'-1' is not a port"),
        ("http://user@db.data:80/", "has no user in it"),
        ("a b", "is not a destination"),
    ],
)
def test_destinations_that_cannot_be_read(destination: str, words: str) -> None:
    try:
        found = asked(destination, *BASE).verdict
    except UsageProblem as problem:
        found = str(problem)
    assert words in found or "no address" in found


def test_the_api_server_is_there_whether_it_was_seen_or_not() -> None:
    kubernetes = service("default", "kubernetes", "10.96.0.1", selector=None, ports=[{"port": 443, "targetPort": 6443}])
    destination = "kubernetes.default:443"
    assert asked(destination, *BASE).conclusion is Conclusion.WELL
    assert asked(destination, *BASE, space("default"), kubernetes).conclusion is Conclusion.WELL
    assert asked(destination, *BASE, kubernetes, DENY_EGRESS).conclusion is Conclusion.TROUBLE
    some = policy("shop", policyTypes=["Egress"], egress=[{"ports": [{"port": 443}]}])
    assert asked(destination, *BASE, kubernetes, some).conclusion is Conclusion.UNKNOWN
