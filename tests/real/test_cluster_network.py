"""What concerns the network of the whole cluster: ranges, families, kube-proxy, node ports, the node's own traffic."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real import packets
from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import NODE_ADDRESS, NODE_NAME, SERVICE_RANGE, Document
from tests.real.diagnosis import Diagnosis, ask_question, diagnose
from tests.real.namespace import Namespace
from tests.real.policy_engine import enforced
from tests.real.recording.networks.clients import address_of, ready, service, slice_of, web
from tests.real.recording.networks.policies import policy
from tests.real.recording.networks.proxies import NAME, PLACE, instead, restored
from tests.real.recording.networks.services import without_a_selector
from tests.real.workloads import deployment, manifest

pytestmark = pytest.mark.real
OUTSIDE, OUTSIDE_ADDRESS = "outside", "172.30.0.9"
"""A machine of the node's network that is no node."""
NODE_PORT = 31090


def found(cluster: RealCluster, code: str, *words: str) -> list[Document]:
    seen: Diagnosis = diagnose(cluster.visitor_kubeconfig, *(words or ("scan", "-A")))
    return [one for one in seen.findings if one["code"] == code]


def finding(cluster: RealCluster, code: str, *words: str) -> Document:
    """The first of its kind, once there is one."""
    rows: list[Document] = []

    def is_found() -> bool:
        rows[:] = found(cluster, code, *words)
        return bool(rows)

    cluster.wait_for(code, is_found, 120)
    return rows[0]


def changes(one: Document) -> list[str]:
    return [fix["command"] for fix in one["fixes"] if fix["command"]]


@pytest.fixture
def dual_stack(cluster: RealCluster) -> Iterator[None]:
    """The API server gives Services addresses of both families; the nodes give pods IPv4 only."""
    cluster.restart("kube-apiserver", f"--service-cluster-ip-range={SERVICE_RANGE},fd00:96::/112")
    cluster.wait_for("an IPv6 range", lambda: "fd00:96::/112" in ranges(cluster))
    yield
    cluster.restart("kube-apiserver")
    cluster.wait_for("the API server", lambda: bool(ranges(cluster)))


def ranges(cluster: RealCluster) -> str:
    try:
        return cluster.kubectl("get", "servicecidrs", "-o", "jsonpath={.items[*].spec.cidrs[*]}")
    except RuntimeError:
        return ""


@pytest.mark.usefixtures("dual_stack")
def test_a_family_that_no_pod_has_is_dropped_by_the_pasted_fix(namespace: Namespace) -> None:
    cluster = namespace.cluster
    families = {"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv4", "IPv6"]}
    cluster.wait_for("the Service", lambda: applied(namespace, *web(namespace.name, **families)))
    cluster.wait_for("its pod", lambda: ready("web")(namespace))
    one = finding(cluster, "KD2008", "service", "web", "-n", namespace.name)
    assert "no IPv6 endpoints" in one["summary"]
    (line,) = changes(one)
    cluster.paste(line)
    assert cluster.get("service", "web", namespace.name)["spec"]["ipFamilies"] == ["IPv4"]
    assert found(cluster, "KD2008", "service", "web", "-n", namespace.name) == []


def applied(at: Namespace, *objects: Document) -> bool:
    """The allocator of a new range is ready some seconds after the range."""
    try:
        at.apply(*objects)
    except RuntimeError:
        return False
    return True


def test_a_range_of_services_over_the_pods_is_found_until_it_is_gone(namespace: Namespace) -> None:
    cluster = namespace.cluster
    namespace.apply(*web(namespace.name))
    namespace.wait_until_available("web")
    pods = str(cluster.get("node", NODE_NAME)["spec"]["podCIDR"])
    assert found(cluster, "KD2204") == []
    cluster.apply(manifest("ServiceCIDR", "more", None, "networking.k8s.io/v1", spec={"cidrs": [pods]}))
    try:
        one = finding(cluster, "KD2204")
        assert pods in one["summary"]
        for command in one["commands"]:
            cluster.paste(command["line"])
    finally:
        cluster.kubectl("delete", "servicecidr", "more")
    assert found(cluster, "KD2204") == []


def test_a_proxy_that_crashes_is_found_until_it_may_write_its_rules(namespace: Namespace) -> None:
    cluster = namespace.cluster
    instead(privileged=False)(namespace)
    try:
        one = finding(cluster, "KD2011")
        assert NODE_NAME in one["summary"]
        for command in one["commands"]:
            cluster.paste(command["line"])
        container = {"name": NAME, "securityContext": {"privileged": True}}
        patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
        cluster.kubectl("patch", "daemonset", NAME, "-n", PLACE, "-p", json.dumps(patch))
        cluster.kubectl("rollout", "status", f"daemonset/{NAME}", "-n", PLACE, "--timeout=120s")
        cluster.wait_for("it is found no more", lambda: not found(cluster, "KD2011"), 60)
    finally:
        restored(namespace)


@pytest.fixture
def outside(cluster: RealCluster) -> Iterator[Callable[[dict[str, packets.Target]], dict[str, bool]]]:
    """Asks for connections from a machine beside the node."""
    cluster.inside("ip", "netns", "add", OUTSIDE)
    cluster.inside("ip", "link", "add", "beside", "type", "veth", "peer", "name", "eth0", "netns", OUTSIDE)
    cluster.inside("ip", "link", "set", "beside", "master", "node0", "up")
    within = ("ip", "netns", "exec", OUTSIDE)
    cluster.inside(*within, "ip", "address", "add", f"{OUTSIDE_ADDRESS}/24", "dev", "eth0")
    cluster.inside(*within, "ip", "link", "set", "eth0", "up")
    script = str(Path(packets.__file__).resolve())

    def ask(targets: dict[str, packets.Target]) -> dict[str, bool]:
        return dict(json.loads(cluster.inside(*within, sys.executable, script, json.dumps(targets))))

    yield ask
    cluster.inside("ip", "netns", "delete", OUTSIDE)


def reaches(cluster: RealCluster, source: str, target: str, namespace: str) -> Document:
    return ask_question(cluster.visitor_kubeconfig, "reach", source, target, "-n", namespace)


def test_a_local_node_port_drops_what_comes_from_outside_to_a_node_without_endpoint(
    namespace: Namespace, outside: Callable[[dict[str, packets.Target]], dict[str, bool]]
) -> None:
    """The endpoint is said to be on another node, which is a matter of its EndpointSlice alone; its address answers."""
    cluster, name = namespace.cluster, namespace.name
    opened = {"name": "http", "port": 80, "targetPort": 8080, "nodePort": NODE_PORT}
    fields = {"type": "NodePort", "externalTrafficPolicy": "Local", "ports": [opened]}
    namespace.apply(*without_a_selector(name, **fields), deployment("checkout", name, "sleep"))
    elsewhere = slice_of(name, "web", address_of(namespace, "backend"))
    elsewhere["endpoints"][0]["nodeName"] = "node-2"
    namespace.apply(elsewhere)
    namespace.wait_until_available("checkout")
    target: dict[str, packets.Target] = {"web": ("TCP", NODE_ADDRESS, NODE_PORT)}
    pid = cluster.pid_in_container(namespace.pod_name("checkout"), name)
    asked = f"{NODE_ADDRESS}:{NODE_PORT}"

    cluster.wait_for("it answers pods", lambda: packets.answers(pid, target)["web"], 60)
    assert not outside(target)["web"]
    denied = reaches(cluster, OUTSIDE_ADDRESS, asked, name)
    assert denied["reaches"] is False, denied
    assert "externalTrafficPolicy" in json.dumps(denied)
    assert reaches(cluster, "deployment/checkout", asked, name)["reaches"] is not False

    elsewhere["endpoints"][0]["nodeName"] = NODE_NAME
    namespace.apply(elsewhere)
    cluster.wait_for("it answers from outside", lambda: outside(target)["web"], 60)
    assert reaches(cluster, OUTSIDE_ADDRESS, asked, name)["reaches"] is not False


def test_policies_do_not_keep_the_node_from_its_pods(namespace: Namespace) -> None:
    """What the kubelet's probes and a webhook's API server on the same node need."""
    cluster, name = namespace.cluster, namespace.name
    with enforced(cluster):
        namespace.apply(*web(name), policy(name, "default-deny", ingress=[]), deployment("checkout", name, "sleep"))
        namespace.apply(service(name, "other", selector={"app": "web"}))
        namespace.wait_until_available("web")
        namespace.wait_until_available("checkout")
        target: dict[str, packets.Target] = {"web": ("TCP", address_of(namespace, "web"), 8080)}
        pid = cluster.pid_in_container(namespace.pod_name("checkout"), name)
        cluster.wait_for("pods are denied", lambda: not packets.answers(pid, target)["web"], 60)
        script = str(Path(packets.__file__).resolve())
        assert json.loads(cluster.inside(sys.executable, script, json.dumps(target)))["web"]
        assert reaches(cluster, "deployment/checkout", "web:80", name)["reaches"] is False
        assert reaches(cluster, f"node/{NODE_NAME}", f"web.{name}:80", name)["reaches"] is True
        seen = diagnose(cluster.visitor_kubeconfig, "scan", "-n", name)
        assert [one["summary"] for one in seen.findings if one["severity"] != "notice"] == []
