"""What is proposed for Gateways, routes and ReferenceGrants: the real API server takes it, and the replay then allows it.

The states are the scenarios. No controller of the Gateway API runs: its conditions are written as the scenario has them, and
after the fix as a controller would that finds all references resolved.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kubedoctor.testing.scenario import Scenario, load_scenario
from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import KUBERNETES_VERSION, PROJECT, Document
from tests.real.diagnosis import Diagnosis, diagnose
from tests.real.gateway_kinds import GROUP, define
from tests.real.workloads import manifest

pytestmark = pytest.mark.real
FOLDER = PROJECT / "tests/scenarios/ingress"
SCENARIOS = sorted((*FOLDER.glob("route_not_accepted/*.yaml"), *FOLDER.glob("backend_tls_unusable/*.yaml")))
REFUSED = {
    "backend_tls_unusable/stated_without_a_gateway": "ancestorRef: Required value",
    "route_not_accepted/no_routes": 'Unsupported value: "None"',
}
"""States that these kinds do not take, and why; earlier ones, and those of others, do."""
TAKEN = [path for path in SCENARIOS if f"{path.parent.name}/{path.stem}" not in REFUSED]
MOST_LINES = 3
"""A fix opens what one reference needs; the next finding has the fix of the next."""
BESIDE = ("Service", "Secret", "ConfigMap")
"""What else is made of a scenario: Gateways and routes refer to it."""
LATER = timedelta(hours=1)
"""By then nobody is at work on them any more."""
LISTED = "namespaces,services,secrets,configmaps,gatewayclasses,gateways,httproutes,grpcroutes,referencegrants,backendtlspolicies"


def is_of_the_group(item: Document) -> bool:
    return str(item["apiVersion"]).startswith(f"{GROUP}/")


def of_scenario(scenario: Scenario) -> list[Document]:
    return [dict(item) for item in scenario.objects if is_of_the_group(item) or item["kind"] in BESIDE]


def place_of(item: Document) -> list[str]:
    namespace = item["metadata"].get("namespace")
    return ["-n", namespace] if namespace else []


@pytest.fixture(scope="module", autouse=True)
def kinds(cluster: RealCluster) -> None:
    define(cluster)


@pytest.fixture
def made(request: pytest.FixtureRequest, cluster: RealCluster) -> Iterator[Scenario]:
    """A scenario whose objects are in the cluster; they are removed afterwards, and their namespaces stay."""
    scenario = load_scenario(request.param)
    with in_cluster(scenario, cluster):
        yield scenario


@contextmanager
def in_cluster(scenario: Scenario, cluster: RealCluster) -> Iterator[None]:
    objects = of_scenario(scenario)
    spaces = {item["metadata"]["name"]: item for item in scenario.objects if item["kind"] == "Namespace"}
    names = {*spaces_named(objects)}
    for name in sorted({*names, *spaces}):
        namespace = manifest("Namespace", name, None)
        namespace["metadata"]["labels"] = spaces.get(name, namespace)["metadata"].get("labels", {})
        cluster.apply(namespace)
    try:
        cluster.apply(*({key: value for key, value in item.items() if key != "status"} for item in objects))
        for item in objects:
            if is_of_the_group(item) and item.get("status"):
                write_status(cluster, item, item["status"])
        yield
    finally:
        for item in objects:
            name = item["metadata"]["name"]
            cluster.kubectl("delete", item["kind"], name, *place_of(item), "--ignore-not-found")
        for name in names:
            cluster.kubectl("delete", "referencegrants", "--all", "-n", name)


def spaces_named(part: object) -> Iterator[str]:
    """Every namespace that objects are in or refer to."""
    if isinstance(part, dict):
        if isinstance(part.get("namespace"), str):
            yield part["namespace"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from spaces_named(one)


def write_status(cluster: RealCluster, item: Document, status: object) -> None:
    what = ["patch", f"{item['kind'].lower()}.{GROUP}", item["metadata"]["name"], *place_of(item)]
    cluster.kubectl(*what, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))


def findings(cluster: RealCluster, path: Path, names: set[str]) -> list[Document]:
    """What is found of the objects of these namespaces some time later."""
    items = json.loads(cluster.kubectl("get", LISTED, "-A", "-o", "json"))["items"]
    own = [item for item in items if own_name(item) in names | {""}]
    state = {
        "name": "state",
        "kubernetes": KUBERNETES_VERSION,
        "captured_at": (datetime.now(UTC) + LATER).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "objects": own,
        "logs": {},
    }
    path.write_text(json.dumps(state))
    seen: Diagnosis = diagnose(None, "scan", "-f", str(path))
    return [one for one in seen.findings if one["code"].startswith("KD23")]


def own_name(item: Document) -> str:
    metadata = item["metadata"]
    return str(metadata["name"] if item["kind"] == "Namespace" else metadata.get("namespace", ""))


def without_complaint(status: Document) -> Document:
    """The conditions of a controller that finds everything in order."""
    text = json.dumps(status).replace('"status": "False"', '"status": "True"')
    changed: Document = json.loads(text)
    for parent in changed.get("parents", []):
        for row in parent["conditions"]:
            row["reason"], row["message"] = row["type"], ""
    return changed


def commands(finding: Document) -> list[str]:
    """Those that change something by themselves."""
    return [fix["command"] for fix in finding["fixes"] if fix["command"] and " edit " not in fix["command"]]


@pytest.mark.parametrize("name", REFUSED)
def test_the_api_server_refuses_what_no_cluster_can_hold(name: str, cluster: RealCluster) -> None:
    scenario = load_scenario(FOLDER / f"{name}.yaml")
    with pytest.raises(RuntimeError, match=re.escape(REFUSED[name])), in_cluster(scenario, cluster):
        pass


def test_the_scenarios_are_there() -> None:
    assert len(SCENARIOS) > 30


@pytest.mark.parametrize("made", TAKEN, ids=[f"{path.parent.name}-{path.stem}" for path in TAKEN], indirect=True)
def test_the_api_server_takes_the_state_and_its_fix(made: Scenario, cluster: RealCluster, tmp_path: Path) -> None:
    names = {*map(own_name, made.objects), *spaces_named(list(made.objects))} - {""}
    before = findings(cluster, tmp_path / "before.json", names)
    wanted = {(one["code"], one["about"]) for one in made.expect if one["code"].startswith("KD23")}
    about = {
        (one["code"], f"{one['about']['kind']}/{one['about']['namespace']}/{one['about']['name']}") for one in before
    }
    assert about >= wanted, before
    pasted: list[str] = []
    found = before
    while (lines := [line for one in found for line in commands(one)]) and len(pasted) < MOST_LINES:
        cluster.paste(lines[0])
        pasted.append(lines[0])
        found = findings(cluster, tmp_path / f"after-{len(pasted)}.json", names)
    if not pasted:
        return
    for item in of_scenario(made):
        if is_of_the_group(item) and item.get("status"):
            write_status(cluster, item, without_complaint(item["status"]))
    after = findings(cluster, tmp_path / "after.json", names)
    assert [one["summary"] for one in after if commands(one)] == [], pasted
    assert len(after) < len(before) or not wanted
