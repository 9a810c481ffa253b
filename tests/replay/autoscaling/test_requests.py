"""What looking for autoscalers costs: requests to an API server for one pending pod."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.why_pending import why_pending
from kubedoctor.cluster import Ref
from kubedoctor.collect.connecting.connection import connect
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.cluster import LiveSource
from kubedoctor.collect.options import Options
from kubedoctor.engine import Report, focus, load_catalogue, scan
from kubedoctor.engine.asking import ask
from kubedoctor.sandbox import Fault, Sandbox, SandboxState, serve
from kubedoctor.testing import load_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios" / "scheduling" / "unschedulable"
POD = Ref("Pod", "shop", "w")
STATUS = "/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status"
POOLS = "/apis/karpenter.sh/v1/nodepools"


def objects(name: str, *without: str) -> list[dict[str, Any]]:
    return [one for one in load_scenario(SCENARIOS / f"{name}.yaml").objects if one["kind"] not in without]


def asked(how: str, *state: dict[str, Any], faults: tuple[Fault, ...] = ()) -> tuple[Counter[str], Report | None]:
    sandbox = Sandbox(SandboxState(list(state), {}, namespace="shop"), faults=faults)
    report = None
    with serve(sandbox) as served:
        source = LiveSource(Transport(connect(Options(kubeconfig=str(served.kubeconfig)), {}), pause=lambda _: None))
        catalogue = load_catalogue()
        if how == "focus":
            report = focus(catalogue, POD, source.snapshot, source.gather)
        elif how == "scan":
            source.list_all(catalogue.reads())
            report = scan(catalogue, source.snapshot, source.gather)
        else:
            ask(why_pending, POD, Choices(), source.snapshot, source.gather)
        source.close()
    return Counter(one.path for one in sandbox.requests), report


@pytest.mark.parametrize("how", ["focus", "place"])
def test_where_there_is_none_one_object_is_asked_for_and_what_is_served(how: str) -> None:
    paths, _ = asked(how, *objects("autoscaler_in_backoff", "ConfigMap", "Event"))
    assert paths[STATUS] == 1
    assert paths["/apis"] == 1
    assert not [path for path in paths if "karpenter" in path or path.endswith("/configmaps")]


def test_a_pod_that_runs_costs_nothing() -> None:
    state = objects("autoscaler_in_backoff", "ConfigMap", "Event")
    running = [{**one, "spec": {**one["spec"], "nodeName": "n1"}} if one["kind"] == "Pod" else one for one in state]
    paths, _ = asked("focus", *running)
    assert not paths[STATUS]
    assert not paths["/apis"]


def test_a_scan_lists_pools_once_where_they_are_served_and_not_elsewhere() -> None:
    with_pools, report = asked("scan", *objects("karpenter_pool_at_its_limit"))
    assert with_pools[POOLS] == 1
    assert report is not None
    assert "NodePool general cannot add a node for this pod" in report.findings[0].detail
    without, _ = asked("scan", *objects("autoscaler_in_backoff"))
    assert not [path for path in without if "karpenter" in path]
    assert not without[STATUS], "the list of ConfigMaps, which other checks read, answers it"


def test_what_is_forbidden_is_said() -> None:
    faults = (Fault(403, resources=("configmaps", "nodepools.karpenter.sh")),)
    _, report = asked("focus", *objects("karpenter_pool_at_its_limit"), faults=faults)
    assert report is not None
    gaps = "\n".join(report.findings[0].gaps)
    assert "get configmaps/cluster-autoscaler-status in kube-system is forbidden" in gaps
    assert "list nodepools.karpenter.sh is forbidden" in gaps
