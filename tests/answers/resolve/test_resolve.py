"""`resolve`: what a name resolves to in a pod, and why it does not."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.resolve import resolve
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.problems import NoSuchObject, UsageProblem
from tests.engine.clinic import complete

Manifest = dict[str, Any]
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
COREFILE = ".:53 {\n kubernetes cluster.local in-addr.arpa {\n pods insecure\n }\n forward . /etc/resolv.conf\n}\n"


def space(name: str) -> Manifest:
    return {"kind": "Namespace", "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}


def service(namespace: str, name: str, ip: str, **spec: Any) -> Manifest:
    ports = [{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53}]
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": {"k8s-app": name}},
        "spec": {"clusterIP": ip, "clusterIPs": [ip], "selector": {"k8s-app": name}, "ports": ports, **spec},
    }


def pod(namespace: str, name: str, status: Manifest = READY, **spec: Any) -> Manifest:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"k8s-app": name}},
        "spec": {"containers": [{"name": "c"}], **spec},
        "status": {"phase": "Running", "podIP": "10.0.0.1", **status},
    }


def config(text: str = COREFILE) -> Manifest:
    return {
        "kind": "ConfigMap",
        "metadata": {"name": "coredns", "namespace": "kube-system"},
        "data": {"Corefile": text},
    }


def headless(ready: bool) -> tuple[Manifest, Manifest]:
    endpoint = {"addresses": ["10.0.0.9"], "conditions": {"ready": ready}}
    slice_ = {
        "kind": "EndpointSlice",
        "metadata": {"name": "db-1", "namespace": "data", "labels": {"kubernetes.io/service-name": "db"}},
        "endpoints": [endpoint],
        "ports": [{"port": 1}],
    }
    return service("data", "db", "None"), slice_


BASE = (
    space("shop"),
    space("data"),
    space("kube-system"),
    service("kube-system", "kube-dns", "10.96.0.10"),
    pod("kube-system", "kube-dns"),
    service("shop", "web", "10.96.1.1"),
    service("data", "store", "10.96.1.2"),
)
CLIENT = pod("shop", "client")


def asked(name: str, *manifests: Manifest, client: Manifest = CLIENT, corefile: str = COREFILE) -> Sheet:
    rows = (*BASE, client, config(corefile), *manifests)
    choices = Choices({"name": (name,)})
    return resolve.answer(Ref("Pod", "shop", "client"), choices, Cluster(complete(*rows)))


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("web", "resolves to Service shop/web (10.96.1.1)"),
        ("store.data", "resolves to Service data/store (10.96.1.2)"),
        ("store.data.svc.cluster.local.", "resolves to Service data/store (10.96.1.2)"),
        ("192.0.2.1", "is 192.0.2.1 without a query"),
        ("localhost", "is 127.0.0.1 without a query"),
        ("client", "is 10.0.0.1 without a query"),
    ],
)
def test_names_that_resolve(name: str, verdict: str) -> None:
    sheet = asked(name)
    assert (sheet.verdict, sheet.conclusion) == (verdict, Conclusion.WELL)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wbe", "did you mean web?"),
        ("nosuch", "there is no Service shop/nosuch"),
        ("store", "Service store is in data: write store.data"),
        ("web.data", "Service web is in shop: write web.shop"),
        ("web.dta.svc.cluster.local", "there is no Namespace dta"),
        ("a..b", "not a valid name"),
    ],
)
def test_names_that_do_not(name: str, words: str) -> None:
    sheet = asked(name)
    assert sheet.conclusion is Conclusion.TROUBLE
    assert words in sheet.verdict


def test_a_headless_service_needs_a_ready_endpoint() -> None:
    assert asked("db.data", *headless(True)).verdict == "resolves to 10.0.0.9"
    assert "headless, and no endpoint of it is ready" in asked("db.data", *headless(False)).verdict


@pytest.mark.parametrize(
    ("rules", "conclusion", "words"),
    [
        ("allow net 10.0.0.0/8\n block", Conclusion.WELL, "resolves to Service shop/web"),
        ("allow net 192.168.0.0/16\n block", Conclusion.TROUBLE, "plugin acl gives REFUSED"),
        ("drop net 10.0.0.1", Conclusion.TROUBLE, "plugin acl gives no answer"),
        ("filter", Conclusion.TROUBLE, "plugin acl gives an empty answer"),
    ],
)
def test_the_access_list_of_coredns_asks_who_the_client_is(rules: str, conclusion: Conclusion, words: str) -> None:
    sheet = asked("web", corefile=COREFILE.replace(" forward", f" acl {{\n {rules}\n }}\n forward"))
    assert sheet.conclusion is conclusion
    assert words in sheet.verdict


def test_the_address_that_the_node_asks_from_is_not_known() -> None:
    client = pod("shop", "client", hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet")
    corefile = COREFILE.replace(" forward", " acl {\n allow net 10.0.0.0/8\n block\n }\n forward")
    sheet = asked("web", client=client, corefile=corefile)
    assert sheet.conclusion is Conclusion.UNKNOWN
    assert sheet.verdict.startswith("not known: CoreDNS decides by the address that asks")


def test_names_outside_and_the_queries_that_they_cost() -> None:
    sheet = asked("api.example.com")
    assert sheet.conclusion is Conclusion.UNKNOWN
    assert sheet.verdict == (
        "is answered outside of the cluster (forward to /etc/resolv.conf), after 6 queries without result"
    )
    assert [fact.text for fact in sheet.facts] == ["6 of 8 queries find nothing: ndots is 5, the name has 2 dots"]
    assert sheet.fixes[0].summary.startswith("Write api.example.com. with a final dot")
    assert [row.cells[0].text for row in sheet.tables[0].rows][-1] == "api.example.com."


def test_resolvers_that_differ_are_named() -> None:
    client = pod("shop", "client", dnsConfig={"options": [{"name": "ndots", "value": "1"}]})
    sheet = asked(
        "web.shop",
        client=client,
        corefile=". {\n kubernetes cluster.local\n template ANY ANY {\n rcode NXDOMAIN\n match ^web.shop.$\n fallthrough\n }\n}",
    )
    assert sheet.verdict == "resolves with glibc, go only: fails with musl"


def test_policies_block_the_queries() -> None:
    deny = {
        "kind": "NetworkPolicy",
        "metadata": {"name": "d", "namespace": "shop"},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"]},
    }
    sheet = asked("web", deny)
    assert "network policies block the queries" in sheet.verdict
    assert any("network policies block UDP 53" in link.text for link in sheet.chain)


def test_a_corefile_that_does_not_load() -> None:
    assert "Unknown directive 'kubernets'" in asked("web", corefile=". {\n kubernets a\n}").verdict


def test_nobody_serves() -> None:
    rows = [row for row in BASE if row["kind"] != "Pod"]
    down = pod("kube-system", "kube-dns", {})
    choices = Choices({"name": ("web",)})
    sheet = resolve.answer(Ref("Pod", "shop", "client"), choices, Cluster(complete(*rows, down, CLIENT, config())))
    assert "no pod of Service kube-system/kube-dns is ready" in sheet.verdict


def test_a_pod_on_its_nodes_network_has_the_nodes_dns() -> None:
    sheet = asked("web", client=pod("shop", "client", hostNetwork=True))
    assert sheet.conclusion is Conclusion.UNKNOWN
    assert sheet.verdict == "not known: it asks the DNS servers of its node, which were not seen"
    assert "ClusterFirstWithHostNet" in sheet.fixes[0].summary


def test_names_of_the_pods_own_file() -> None:
    aliases = [{"ip": "192.0.2.9", "hostnames": ["legacy"]}]
    assert asked("legacy", client=pod("shop", "client", hostAliases=aliases)).verdict == "is 192.0.2.9 without a query"


def test_a_pod_that_is_not_there() -> None:
    with pytest.raises(NoSuchObject):
        resolve.answer(Ref("Pod", "shop", "nosuch"), Choices({"name": ("web",)}), Cluster(complete(*BASE)))


@pytest.mark.parametrize("name", ["web", "store.data", "api.example.com"])
def test_a_cluster_dns_that_was_not_seen(name: str) -> None:
    rows = [row for row in BASE if row["metadata"].get("namespace") != "kube-system"]
    choices = Choices({"name": (name,)})
    sheet = resolve.answer(Ref("Pod", "shop", "client"), choices, Cluster(complete(*rows, CLIENT)))
    assert (sheet.verdict, sheet.conclusion) == ("not known: the cluster's DNS was not seen", Conclusion.UNKNOWN)
    assert "kubelet" not in [fact.label for fact in sheet.facts]
    assert any("shop.svc.cluster.local" in link.text for link in sheet.chain)


def test_a_cluster_dns_without_pods() -> None:
    rows = [row for row in BASE if row["kind"] != "Pod"]
    choices = Choices({"name": ("web",)})
    unseen = resolve.answer(Ref("Pod", "shop", "client"), choices, Cluster(complete(*rows, CLIENT)))
    assert unseen.conclusion is Conclusion.UNKNOWN
    proxy = pod("kube-system", "kube-proxy")
    down = resolve.answer(Ref("Pod", "shop", "client"), choices, Cluster(complete(*rows, CLIENT, proxy)))
    assert (down.verdict, down.conclusion) == (
        "does not resolve: no pod is behind Service kube-system/kube-dns",
        Conclusion.TROUBLE,
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "the name is empty"),
        ("web:80", "Write the name alone: web"),
        ("http://u@web:80/x", "Write the name alone: web"),
    ],
)
def test_what_is_no_name(name: str, words: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        asked(name)
    assert words in str(raised.value)


def test_an_address_of_the_sixth_version_is_one() -> None:
    assert asked("2001:db8::1").verdict == "is 2001:db8::1 without a query"
