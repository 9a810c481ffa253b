"""`reach`: each hop of a connection, who decides, and what would allow it."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.reach import reach
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.cluster.kinds.admin_policies import GROUP
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.problems import NoSuchObject, UsageProblem
from tests.engine.clinic import complete

Manifest = dict[str, Any]
SUBJECT = Ref("Pod", "shop", "web")
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
NODE = {
    "kind": "Node",
    "metadata": {"name": "n1"},
    "status": {"addresses": [{"type": "InternalIP", "address": "192.168.0.1"}]},
}


def space(name: str) -> Manifest:
    return {"kind": "Namespace", "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}


def pod(namespace: str, name: str, ip: str, ports: tuple[int, ...] = (8080,), **status: Any) -> Manifest:
    container = {"name": "c", "ports": [{"name": f"p{port}", "containerPort": port} for port in ports]}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"nodeName": "n1", "containers": [container]},
        "status": {"phase": "Running", "podIP": ip, **READY, **status},
    }


def service(namespace: str, name: str, ip: str = "10.96.0.5", target: Any = 8080, **spec: Any) -> Manifest:
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": ip, "selector": {"app": name}, "ports": [{"port": 80, "targetPort": target}], **spec},
    }


def slices(namespace: str, name: str, *pods: tuple[str, str], ready: bool = True, number: int = 8080) -> Manifest:
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-1", "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"port": number, "protocol": "TCP"}],
        "endpoints": [
            {"addresses": [ip], "conditions": {"ready": ready}, "nodeName": "n1", "targetRef": {"kind": "Pod", "name": pod_name}}
            for pod_name, ip in pods
        ],
    }  # fmt: skip


def policy(namespace: str, name: str = "deny", **spec: Any) -> Manifest:
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {}, **spec},
    }


WEB, DB, OTHER = (
    pod("shop", "web", "10.0.0.1"),
    pod("data", "db", "10.0.0.2"),
    pod("shop", "other", "10.0.0.3"),
)
BASE = (
    NODE,
    space("shop"),
    space("data"),
    WEB,
    DB,
    OTHER,
    service("data", "db"),
    slices("data", "db", ("db", "10.0.0.2")),
)
DENY_INGRESS = policy("data", policyTypes=["Ingress"])
DENY_EGRESS = policy("shop", policyTypes=["Egress"])


def asked(destination: str, *manifests: Manifest, subject: Ref = SUBJECT) -> Sheet:
    choices = Choices({"destination": (destination,)})
    snapshot = complete(*(row for row in manifests if GROUP not in row.get("apiVersion", "")))
    for row in manifests:
        if GROUP in row.get("apiVersion", ""):
            snapshot.add(convert_object(f"{row['kind']}.{GROUP}", row).objects)
    return reach.answer(subject, choices, Cluster(snapshot))


def hops(sheet: Sheet) -> list[str]:
    return [f"{link.mark.value} {link.text}" for link in sheet.chain]


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


def daemon(name: str, image: str = "x", *containers: Manifest) -> Manifest:
    spec = {"containers": [{"name": name, "image": image}, *containers]}
    return {
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"template": {"spec": spec}},
    }


@pytest.mark.parametrize(
    ("plugin", "conclusion", "fact"),
    [
        (daemon("calico-node"), Conclusion.TROUBLE, "Calico enforces network policies"),
        (daemon("kube-flannel-ds"), Conclusion.UNKNOWN, "flannel does not enforce network policies"),
        (daemon("kindnet", "kindnetd:v20230511-dc714da8"), Conclusion.UNKNOWN, "kindnet does not enforce network policies"),
        (daemon("kindnet", "kindnetd:v20250214-acbabc1a"), Conclusion.TROUBLE, "kindnet enforces network policies"),
        (daemon("kindnet", "kindnetd:latest"), Conclusion.TROUBLE, "kindnet may enforce network policies"),
        (daemon("aws-node"), Conclusion.UNKNOWN, "AWS VPC CNI does not enforce network policies"),
        (daemon("aws-node", "x", {"name": "aws-eks-nodeagent", "args": ["--enable-network-policy=true"]}), Conclusion.TROUBLE, "AWS VPC CNI enforces network policies"),
    ],
)  # fmt: skip
def test_who_enforces(plugin: Manifest, conclusion: Conclusion, fact: str) -> None:
    sheet = asked("db.data:80", *BASE, DENY_INGRESS, plugin)
    assert (sheet.conclusion, fact in [row.text for row in sheet.facts]) == (conclusion, True)


def test_policies_that_are_not_replayed_leave_it_open() -> None:
    cilium = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "c", "namespace": "data"},
    }
    sheet = asked("db.data:80", *BASE, cilium)
    assert sheet.conclusion is Conclusion.UNKNOWN
    assert "not replayed: CiliumNetworkPolicy data/c" in sheet.gaps


@pytest.mark.parametrize(
    ("kind", "group", "namespace", "spec", "conclusion"),
    [
        ("CiliumNetworkPolicy", "cilium.io", "data", {"endpointSelector": {"matchLabels": {"app": "db"}}}, "unknown"),
        ("CiliumNetworkPolicy", "cilium.io", "data", {"endpointSelector": {"matchLabels": {"app": "cache"}}}, "well"),
        ("CiliumNetworkPolicy", "cilium.io", "orders", {"endpointSelector": {}}, "well"),
        ("CiliumClusterwideNetworkPolicy", "cilium.io", "", {"nodeSelector": {}}, "well"),
        ("NetworkPolicy", "projectcalico.org", "data", {"selector": "app == 'db'", "types": ["Ingress"]}, "unknown"),
        ("NetworkPolicy", "projectcalico.org", "data", {"selector": "app == 'cache'"}, "well"),
        ("GlobalNetworkPolicy", "projectcalico.org", "", {"selector": "all()", "order": 10}, "unknown"),
        ("GlobalNetworkPolicy", "crd.projectcalico.org", "", {"selector": "has(host)"}, "well"),
    ],
)
def test_policies_of_plugins_count_where_they_may_be_for_one_end(
    kind: str, group: str, namespace: str, spec: Manifest, conclusion: str
) -> None:
    snapshot = complete(
        NODE, space("shop"), space("data"), pod("shop", "web", "10.0.0.1"), pod("data", "db", "10.0.0.2"),
        service("data", "db"), slices("data", "db", ("db", "10.0.0.2")),
    )  # fmt: skip
    metadata = {"name": "c", **({"namespace": namespace} if namespace else {})}
    policy = {"apiVersion": f"{group}/v3", "kind": kind, "metadata": metadata, "spec": spec}
    snapshot.add(convert_object(f"{kind}.{group}", policy).objects)
    sheet = reach.answer(SUBJECT, Choices({"destination": ("db.data:80",)}), Cluster(snapshot))
    assert sheet.conclusion.value == conclusion, sheet.verdict


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


def alias(name: str, target: str, namespace: str = "shop", **spec: Any) -> Manifest:
    return service(namespace, name, "", type="ExternalName", externalName=target, selector=None, **spec)


DB_NAME = "db.data.svc.cluster.local"


def test_an_alias_is_followed_to_the_service_of_another_namespace() -> None:
    sheet = asked("store:80", *BASE, alias("store", "front.data.svc.cluster.local."), alias("front", DB_NAME, "data"))
    assert sheet.verdict == "reaches 1 endpoint of Service data/db"
    assert hops(sheet)[1:4] == [
        "✓ Service shop/store (ExternalName front.data.svc.cluster.local.)",
        f"✓ Service data/front (ExternalName {DB_NAME})",
        "✓ Service data/db (ClusterIP 10.96.0.5)",
    ]
    denied = asked("store:80", *BASE, alias("store", DB_NAME), DENY_INGRESS)
    assert denied.verdict == "does not reach it: NetworkPolicy data/deny denies ingress"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((alias("store", "gone.data.svc.cluster.local"),), "there is no Service data/gone"),
        ((alias("store", "db.dat.svc.cluster.local"),), "there is no Namespace dat"),
        ((alias("store", "db.data.svc"),), "no search domain is added: write db.data.svc.cluster.local"),
        ((alias("store", "10.0.0.2"),), "an address is no name"),
        ((alias("store", "store.shop.svc.cluster.local"),), "in a circle and to no address: shop/store → shop/store"),
        (
            (alias("store", "other.shop.svc.cluster.local"), alias("other", "store.shop.svc.cluster.local")),
            "shop/store → shop/other → shop/store",
        ),
        ((alias("store", DB_NAME), DENY_INGRESS), "NetworkPolicy data/deny denies ingress"),
    ],
)
def test_an_alias_that_leads_nowhere(rows: tuple[Manifest, ...], words: str) -> None:
    sheet = asked("store:80", *BASE, *rows)
    assert sheet.conclusion is Conclusion.TROUBLE
    assert words in sheet.verdict


def test_the_port_of_an_alias_is_that_of_its_target() -> None:
    assert "has no port 5432/TCP: it has 80/TCP" in asked("store:5432", *BASE, alias("store", DB_NAME)).verdict


@pytest.mark.parametrize(
    ("destination", "words"),
    [
        ("cache:80", "not known: Service shop/cache was not seen (only objects of the file)"),
        ("store:80", "not known: Service data/db was not seen (only objects of the file)"),
        ("empty:80", "not known: the endpoints of Service shop/empty could not be read"),
        ("deployment/cart:80", "not known: no pod of Deployment shop/cart was seen (only objects of the file)"),
    ],
)
def test_what_is_not_in_a_file_of_selected_objects_is_not_known(destination: str, words: str) -> None:
    cart = {
        "kind": "Deployment",
        "metadata": {"name": "cart", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "cart"}}},
    }
    owned = {"kind": "ReplicaSet", "metadata": {"name": "web", "namespace": "shop"}, "spec": {}}
    rows = (WEB, cart, owned, alias("store", DB_NAME), service("shop", "empty"), slices("shop", "web"))
    seen = complete(*rows)
    seen.complete = False
    for kind in ("Pod", "Service", "Deployment", "ReplicaSet", "EndpointSlice"):
        seen.limit(Want(kind), "only objects of the file")
        seen.limit(Want(kind, "shop"), "only objects of the file")
        seen.limit(Want(kind, "data"), "only objects of the file")
    sheet = reach.answer(SUBJECT, Choices({"destination": (destination,)}), Cluster(seen))
    assert (sheet.verdict, sheet.conclusion) == (words, Conclusion.UNKNOWN)
