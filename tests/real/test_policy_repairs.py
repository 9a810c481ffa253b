"""A policy engine denies a connection with real packets, and the rule that `kubedoctor reach` proposes allows it alone."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pytest

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import NODE_ADDRESS, SECURE_PORT, SERVICE_RANGE, Document, image
from tests.real.diagnosis import ask_question
from tests.real.namespace import Namespace
from tests.real.packets import Target, answers
from tests.real.policy_engine import enforced
from tests.real.recording.networks.clients import service
from tests.real.recording.networks.policies import CLIENT, peer, policy, port
from tests.real.workloads import deployment, manifest

pytestmark = pytest.mark.real
SHOP, PARTNERS = "shop", "partners"
SOURCES = ((SHOP, "checkout"), (SHOP, "report"), (PARTNERS, "checkout"))
Pair = tuple[str, str]
"""A source as `NAMESPACE/APP`, and the name of a target."""


@dataclass(frozen=True)
class Lab:
    """Some pods, and the connections that are tried between them."""

    cluster: RealCluster
    pids: dict[str, int]
    """Of the programs of the sources, by `NAMESPACE/APP`."""
    targets: dict[str, Target]

    def open_pairs(self) -> frozenset[Pair]:
        with ThreadPoolExecutor(len(self.pids)) as pool:
            rows = pool.map(lambda pid: answers(pid, self.targets), self.pids.values())
        found = zip(self.pids, rows, strict=True)
        return frozenset((source, name) for source, row in found for name, answered in row.items() if answered)


@dataclass(frozen=True)
class Case:
    """target: of the first source, which the policies deny; asked: as `reach` is asked for it. in_cluster: what answers
    there is a pod's or a Service's; of another address `reach` says that this is not known, whatever policies allow."""

    policies: Callable[[], list[Document]]
    target: str = "web"
    asked: str = "web:80"
    source: Pair = (SHOP, "checkout")
    in_cluster: bool = True


def ingress(*rules: Document) -> Callable[[], list[Document]]:
    return lambda: [policy(SHOP, "web", "web", ingress=list(rules))]


def egress(*rules: Document) -> Document:
    """Of all programs of the namespace."""
    return policy(SHOP, "outgoing", egress=list(rules))


OF_THE_TEAM: Document = {"namespaceSelector": {"matchLabels": {"team": "shop"}}}
"""A label that no namespace has."""
MOST_RULES = 2
"""One for each direction."""
CASES = {
    "all-ingress-denied": Case(lambda: [policy(SHOP, "default-deny", ingress=[])]),
    "all-egress-denied": Case(lambda: [policy(SHOP, "default-deny", egress=[])]),
    "label-misspelled": Case(ingress({"from": [peer(app="chekout")], "ports": port(8080)})),
    "port-of-the-service": Case(ingress({"from": [CLIENT], "ports": port(80)})),
    "udp-for-tcp": Case(ingress({"from": [CLIENT], "ports": port(8080, "UDP")})),
    "both-directions-denied": Case(lambda: [policy(SHOP, "default-deny", ingress=[], egress=[])]),
    "namespace-label-missing": Case(ingress({"from": [{**OF_THE_TEAM, **CLIENT}], "ports": port(8080)})),
    "addresses-of-services": Case(lambda: [egress({"to": [{"ipBlock": {"cidr": SERVICE_RANGE}}]})]),
    "second-port": Case(ingress({"from": [CLIENT], "ports": port(8080)}), "admin", "web:9090"),
    "port-of-udp": Case(
        lambda: [policy(SHOP, "statsd", "statsd", ingress=[{"from": [CLIENT], "ports": port(8125)}])],
        "statsd",
        "statsd:8125/UDP",
    ),
    "api-server": Case(lambda: [egress({"to": [peer(app="web")]})], "api", "kubernetes.default:443"),
    "address-of-the-api-server": Case(
        lambda: [egress({"to": [{"ipBlock": {"cidr": f"{NODE_ADDRESS}/32"}}], "ports": port(443)})],
        "api",
        f"{NODE_ADDRESS}:{SECURE_PORT}",
        in_cluster=False,
    ),
    "pods-of-another-namespace": Case(ingress({"from": [CLIENT]}), asked="web.shop:80", source=(PARTNERS, "checkout")),
}


def web(namespace: str) -> Document:
    """Serves on two ports."""
    made = deployment("web", namespace)
    admin = {"name": "admin", "image": image("web"), "args": ["serve", "-port", "9090"]}
    made["spec"]["template"]["spec"]["containers"].append(
        {**admin, "ports": [{"name": "admin", "containerPort": 9090}]}
    )
    return made


def objects() -> Iterator[Document]:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}, {"name": "admin", "port": 9090, "targetPort": "admin"}]
    yield from (web(SHOP), service(SHOP, ports=ports), web(PARTNERS))
    statsd = {"ports": [{"containerPort": 8125, "protocol": "UDP"}]}
    yield deployment("statsd", SHOP, "echo", "-port", "8125", container=statsd)
    yield service(SHOP, "statsd", ports=[{"name": "statsd", "port": 8125, "protocol": "UDP"}])
    yield from (deployment(app, namespace, "sleep") for namespace, app in SOURCES)


def has_account(at: Namespace) -> bool:
    return bool(at.cluster.get("serviceaccount", "default", at.name))


@pytest.fixture(scope="module")
def lab(cluster: RealCluster) -> Iterator[Lab]:
    places = [Namespace(cluster, name) for name in (SHOP, PARTNERS)]
    cluster.apply(*(manifest("Namespace", at.name, None) for at in places))
    for at in places:
        cluster.wait_for("account", partial(has_account, at))
    with enforced(cluster):
        cluster.apply(*objects())
        for at in places:
            cluster.kubectl("wait", "--for=condition=Available", "deployment", "--all", "-n", at.name, "--timeout=120s")
        shop = places[0]
        address = {at.name: str(at.pods("web")[0]["status"]["podIP"]) for at in places}
        statsd = str(shop.pods("statsd")[0]["status"]["podIP"])
        targets: dict[str, Target] = {
            "web": ("TCP", address[SHOP], 8080),
            "admin": ("TCP", address[SHOP], 9090),
            "statsd": ("UDP", statsd, 8125),
            "partners": ("TCP", address[PARTNERS], 8080),
            "api": ("TCP", NODE_ADDRESS, SECURE_PORT),
        }
        pids = {
            f"{place}/{app}": cluster.pid_in_container(Namespace(cluster, place).pod_name(app), place)
            for place, app in SOURCES
        }
        made = Lab(cluster, pids, targets)
        cluster.wait_for("all connections", lambda: len(made.open_pairs()) == len(pids) * len(targets))
        yield made
        cluster.kubectl("delete", "namespace", SHOP, PARTNERS, "--wait=false")


@pytest.fixture
def open_again(lab: Lab) -> Iterator[None]:
    """Each test begins and ends without policies."""
    yield
    for place in (SHOP, PARTNERS):
        lab.cluster.kubectl("delete", "networkpolicies", "--all", "-n", place)
    lab.cluster.wait_for("all connections", lambda: len(lab.open_pairs()) == len(lab.pids) * len(lab.targets))


@pytest.mark.usefixtures("open_again")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_proposed_rule_allows_the_connection_and_no_other(case: Case, lab: Lab) -> None:
    place, app = case.source
    pair = (f"{place}/{app}", case.target)
    lab.cluster.apply(*case.policies())
    lab.cluster.wait_for("it is denied", lambda: pair not in lab.open_pairs())
    before = settled(lab)
    ask = partial(ask_question, lab.cluster.visitor_kubeconfig, "reach", f"deployment/{app}", case.asked, "-n", place)
    said = ""
    for _ in range(MOST_RULES):
        sheet = ask()
        assert sheet.get("reaches") is False, json.dumps(sheet, indent=1)
        proven = [fix for fix in sheet["fixes"] if fix["verified"]]
        assert proven, sheet["fixes"]
        lab.cluster.paste(proven[0]["command"])
        said += f"{proven[0]['summary']}\n"
        if len(sheet["fixes"]) == 1 or ask().get("reaches"):
            break
    lab.cluster.wait_for(f"it is allowed by {said}", lambda: pair in lab.open_pairs(), 60)
    assert ask().get("reaches") is (True if case.in_cluster else None)
    for source, target in settled(lab) - before - {pair}:
        assert "also opens" in said, f"{source} reaches {target}, and nothing says so: {said}"


def settled(lab: Lab) -> frozenset[Pair]:
    """The open pairs, once two looks at them agree: the engine applies policies some time after they are written."""
    looks = [lab.open_pairs()]
    for _ in itertools.repeat(None, 10):
        looks.append(lab.open_pairs())
        if looks[-1] == looks[-2]:
            break
    return looks[-1]
