"""JUnit and SARIF: what a CI server makes of a report."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from xml.etree import ElementTree

import pytest

from kubedoctor.cli.exit_codes import ExitCode, exit_code
from kubedoctor.cli.formats import render
from kubedoctor.cluster import Ref
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME
from kubedoctor.engine import Incident, NotChecked, Report, load_catalogue
from kubedoctor.engine.report import Suppressed
from kubedoctor.findings import Severity
from tests.cli.recordings import OOM
from tests.cli.test_formats import FULL, STARTING, UNWELL, finding, id_of, report
from tests.cli.test_run import Capture, run

NOTICE = finding(1, severity=Severity.NOTICE)
REPORTS = {
    "healthy": report(),
    "critical": report(finding(1)),
    "warning": report(finding(1, severity=Severity.WARNING)),
    "notice": report(NOTICE),
    "harmless cause": report(NOTICE, finding(2), incidents=(Incident(id_of(1), (id_of(2),)),)),
    "gap": report(not_checked=(NotChecked("a/b", None, "forbidden"),)),
    "gap of a notice": report(finding(1, severity=Severity.NOTICE, gaps=("events: forbidden",))),
    "problem": report(problems=("broken off",)),
    "unwell": report(unexplained=UNWELL),
    "starting": report(not_ready=STARTING),
    "suppressed": report(suppressed=(Suppressed(finding(1), "known", date(2026, 2, 1), "annotation of it"),)),
    "expired": report(unheeded=(".kubedoctor.yaml, entry 1: KD1005 expired",)),
    "all": FULL,
    "without time": report(taken_at=UNKNOWN_TIME),
}


@pytest.mark.parametrize("fail_on", list(Severity), ids=str)
@pytest.mark.parametrize("allow_gaps", [False, True])
@pytest.mark.parametrize("name", REPORTS)
def test_failures_and_errors_of_junit_agree_with_the_exit_code(name: str, fail_on: Severity, allow_gaps: bool) -> None:
    one = REPORTS[name]
    text = render(one, "junit", fail_on=fail_on.value, allow_gaps=allow_gaps)
    root = ElementTree.fromstring(text)
    failed, wrong = len(root.findall(".//failure")), len(root.findall(".//error"))
    code = ExitCode.FOUND if failed else ExitCode.GAPS if wrong else ExitCode.HEALTHY
    assert code is exit_code(one, fail_on, allow_gaps=allow_gaps)
    for suite in root.iter("testsuite"):
        cases = suite.findall("testcase")
        assert (int(suite.get("tests", "")), int(suite.get("failures", ""))) == (len(cases), failed)
        assert (int(suite.get("errors", "")), int(suite.get("skipped", ""))) == (
            wrong,
            len(suite.findall(".//skipped")),
        )
        assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases) > 0


def sarif(one: Report) -> dict[str, Any]:
    run_: dict[str, Any] = json.loads(render(one, "sarif"))["runs"][0]
    return run_


@pytest.mark.parametrize("name", REPORTS)
def test_each_result_of_sarif_has_its_rule_and_its_object(name: str) -> None:
    one = sarif(REPORTS[name])
    rules = one["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({result["ruleId"] for result in one["results"]})
    for result in one["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["locations"][0]["logicalLocations"][0]["kind"] == "resource"
        assert result["message"]["text"]
        assert (result["level"] == "none") == (result.get("kind") == "open")


def test_the_rules_of_sarif_are_the_lessons(capsys: Capture) -> None:
    code, out, err = run(capsys, "scan", "--from", OOM, "-o", "sarif")
    one = json.loads(out)["runs"][0]
    (rule,), (result,) = one["tool"]["driver"]["rules"], one["results"]
    page = load_catalogue().find("KD1005")
    assert page is not None
    assert (code, err) == (1, "")
    assert (rule["id"], rule["shortDescription"]["text"]) == ("KD1005", page.title)
    assert rule["defaultConfiguration"]["level"] == "error"
    assert rule["help"]["markdown"].startswith(f"# KD1005: {page.title}")
    assert rule["helpUri"].startswith("https://kubernetes.io/")
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "Deployment/shop/checkout"
    assert result["partialFingerprints"]["findingId/v1"].startswith("KD1005-")


def test_workloads_alike_are_results_of_their_own() -> None:
    one = report(
        finding(1),
        finding(2, about=Ref("Deployment", "shop", "web")),
        finding(3),
        incidents=(Incident(id_of(1), (id_of(3),), (id_of(2),), (id_of(2),)),),
    )
    first, second = sarif(one)["results"]
    assert "relatedLocations" not in first
    assert len(second["relatedLocations"]) == 1


def test_what_is_suppressed_is_a_suppression_of_sarif_and_skipped_by_junit() -> None:
    one = REPORTS["suppressed"]
    (result,) = sarif(one)["results"]
    assert result["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "until 2026-02-01: known (annotation of it)"}
    ]
    assert '<skipped message="suppressed until 2026-02-01: known (annotation of it)"/>' in render(one, "junit")


def test_what_nothing_explains_is_open_in_sarif() -> None:
    (result,) = sarif(report(unexplained=UNWELL))["results"]
    assert (result["kind"], result["ruleId"]) == ("open", "not-explained")


def test_what_xml_cannot_hold_is_replaced() -> None:
    text = render(report(finding(1, summary="a\ufffe\x00b]]>\ud800")), "junit")
    ElementTree.fromstring(text)
    assert "a\ufffd" in text
