"""`scan --context a,b` and `--all-contexts`: one report about several clusters, whatever becomes of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml

from kubedoctor.cli.clusters import ClusterOutcome, read_each, worst_code
from kubedoctor.cli.exit_codes import ExitCode
from kubedoctor.engine import Report
from kubedoctor.findings.commands import in_cluster
from kubedoctor.problems import SourceProblem
from kubedoctor.sandbox import Sandbox
from kubedoctor.sandbox.faults import slow
from tests.cli.several import clusters
from tests.cli.test_formats import report
from tests.cli.test_run import Capture, run


@pytest.fixture
def sandboxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Sandbox]]:
    path = tmp_path / "config"
    with clusters(path, {"prod-eu": "oom-killed", "prod-us": "service-selector-typo"}) as served:
        monkeypatch.setenv("KUBECONFIG", str(path))
        yield served


def test_one_report_by_cluster_with_the_dead_one_said(capsys: Capture, sandboxes: dict[str, Sandbox]) -> None:
    code, out, err = run(capsys, "scan", "-A", "--all-contexts")
    assert (code, err) == (1, "")
    assert out.splitlines()[0] == "3 clusters: 2 with incidents, 1 not read"
    assert out.index("── dead ") < out.index("── prod-eu ") < out.index("── prod-us ")
    dead, rest = out.split("── prod-eu ")
    eu, us = rest.split("── prod-us ")
    assert "refuses the connection" in dead
    assert "was OOMKilled" in eu
    assert "matches no pod" not in eu
    assert "matches no pod" in us
    assert "kubectl --context prod-us patch service/checkout" in us, (
        "pasted, it is about the cluster that it is said of"
    )


def test_json_and_yaml(capsys: Capture, sandboxes: dict[str, Sandbox]) -> None:
    code, out, _ = run(capsys, "scan", "-A", "--context", "prod-us,dead", "-o", "json")
    document = json.loads(out)
    schema = json.loads(files("kubedoctor.cli.formats").joinpath("clusters.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    of_report = json.loads(files("kubedoctor.cli.formats").joinpath("report.schema.json").read_text())
    us, dead = document["clusters"]
    jsonschema.Draft202012Validator(of_report).validate(us["report"])
    assert (us["context"], us["exit_code"], us["problem"]) == ("prod-us", 1, None)
    assert (dead["context"], dead["exit_code"], dead["report"]) == ("dead", 2, None)
    assert "refuses the connection" in dead["problem"]["what"]
    assert (code, document["exit_code"]) == (1, 1)
    _, as_yaml, _ = run(capsys, "scan", "-A", "--context", "prod-us,dead", "-o", "yaml")
    assert yaml.safe_load(as_yaml)["schema"] == document["schema"]


def test_junit_and_sarif(capsys: Capture, sandboxes: dict[str, Sandbox]) -> None:
    _, out, _ = run(capsys, "scan", "-A", "--all-contexts", "-o", "junit")
    root = ElementTree.fromstring(out)
    suites = root.findall("testsuite")
    assert [suite.get("name", "").partition(":")[0] for suite in suites] == ["dead", "prod-eu", "prod-us"]
    assert root.get("failures") == "2"
    assert root.get("errors") == "1"
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(names) == len(set(names)), "a CI server keeps one of two cases with the same name"
    _, out, _ = run(capsys, "scan", "-A", "--all-contexts", "-o", "sarif")
    runs = json.loads(out)["runs"]
    assert [one["automationDetails"]["id"].split("/")[1] for one in runs] == ["dead", "prod-eu", "prod-us"]
    assert [one["invocations"][0]["executionSuccessful"] for one in runs] == [False, True, True]
    assert [len(one["results"]) for one in runs] == [0, 1, 1]


def test_names_and_markdown(capsys: Capture, sandboxes: dict[str, Sandbox]) -> None:
    _, out, _ = run(capsys, "scan", "-A", "--context", "prod-eu,prod-us", "-o", "name")
    assert out == "prod-eu\tdeployment.apps/checkout\nprod-us\tservice/checkout\n"
    _, out, _ = run(capsys, "scan", "-A", "--all-contexts", "-o", "markdown")
    assert [line for line in out.splitlines() if line.startswith("# ")] == [
        "# Cluster dead",
        "# Cluster prod-eu",
        "# Cluster prod-us",
    ]


def test_a_slow_cluster_is_given_up(capsys: Capture, sandboxes: dict[str, Sandbox]) -> None:
    sandboxes["prod-us"].faults.append(slow("pods", seconds=600))
    words = ("scan", "-A", "--context", "prod-eu,prod-us", "--context-timeout", "8s")
    code, out, _ = run(capsys, *words)
    assert code == 1
    assert "was OOMKilled" in out
    assert "? not read: it was not read completely within 8s" in out


def test_what_cannot_be_meant(capsys: Capture, sandboxes: dict[str, Sandbox]) -> None:
    assert "no context prod-ux" in run(capsys, "scan", "--context", "prod-eu,prod-ux")[2]
    assert "exclude each other" in run(capsys, "scan", "--context", "prod-eu", "--all-contexts")[2]
    assert "a recording is of one cluster" in run(capsys, "scan", "--all-contexts", "--from", "x")[2]
    assert "reads one cluster" in run(capsys, "pods", "--context", "prod-eu,prod-us")[2]
    assert "--context-timeout" in run(capsys, "scan", "--all-contexts", "--context-timeout", "soon")[2]
    assert "longer than 0s" in run(capsys, "scan", "--all-contexts", "--context-timeout", "0s")[2]


def test_the_worst_code() -> None:
    healthy, found, unread, gaps = ExitCode.HEALTHY, ExitCode.FOUND, ExitCode.USAGE, ExitCode.GAPS
    assert worst_code([healthy, gaps]) is gaps
    assert worst_code([unread, gaps, healthy]) is unread
    assert worst_code([gaps, unread, found]) is found
    assert worst_code([healthy]) is healthy


def test_many_clusters_are_read_in_their_order() -> None:
    names = tuple(f"c{number}" for number in range(20))

    def read(context: str) -> Report:
        if context == "c3":
            raise SourceProblem("it is down", "start it")
        if context == "c4":
            raise ValueError("unforeseen")
        return report()

    outcomes = read_each(names, read, 60)
    assert tuple(outcome.context for outcome in outcomes) == names
    assert outcomes[3] == ClusterOutcome("c3", None, "it is down", "start it")
    assert "internal error" in outcomes[4].what
    assert all(outcome.report for place, outcome in enumerate(outcomes) if place not in (3, 4))


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("kubectl get pods -n shop", "kubectl --context eu get pods -n shop"),
        (
            "kubectl get x -o yaml | kubectl apply -f -",
            "kubectl --context eu get x -o yaml | kubectl --context eu apply -f -",
        ),
        ("kubectl exec web -- kubectl get", "kubectl --context eu exec web -- kubectl get"),
        ("kubedoctor why-pending web -n shop", "kubedoctor why-pending web -n shop --context eu"),
        ("kubedoctor explain KD1005", "kubedoctor explain KD1005"),
        ("crictl ps", "crictl ps"),
        ("", ""),
    ],
)
def test_a_command_names_the_context(line: str, named: str) -> None:
    assert in_cluster(line, ("--context", "eu")) == named
    assert in_cluster(line, ()) == line
    assert in_cluster(named, ("--context", "eu")) == named, "twice is once"


def test_the_name_of_a_context_is_one_word() -> None:
    assert in_cluster("kubectl get pods", ("--context", "a; rm -rf /")) == "kubectl --context 'a; rm -rf /' get pods"
