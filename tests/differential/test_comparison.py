"""That a difference is seen, and that only what an excuse names is left out."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.differential import __main__ as program
from tests.differential import oracle
from tests.differential.comparison import Comparison, Excuse, Row

TAINTED = {"code": "UnschedulableAndUnresolvable", "plugin": "TaintToleration", "reasons": ["untolerated"]}
PENDING: Row = {"spec": {"priority": 10}}


def compared(question: Row, upstream: Any, ours: Any) -> Comparison:
    found = Comparison("area")
    found.add(question, copy.deepcopy({"answer": upstream}), copy.deepcopy({"answer": ours}))
    return found


@pytest.mark.parametrize(
    ("upstream", "ours", "path"),
    [
        ({"nodes": {"n1": TAINTED}}, {"nodes": {"n1": TAINTED | {"reasons": []}}}, "answer.nodes.n1.reasons"),
        ({"nodes": {"n1": TAINTED}}, {"nodes": {}}, "answer.nodes.n1"),
        ({"feasible": []}, {"feasible": ["n1"]}, "answer.feasible"),
        ({"feasible": []}, {"feasible": [], "message": ""}, "answer.message"),
        ({"matches": [True, False]}, {"matches": [True, True]}, "answer.matches"),
        ({"feasible": []}, {"feasible": []}, None),
    ],
)
def test_the_smallest_part_that_differs_is_named(upstream: Row, ours: Row, path: str | None) -> None:
    found = compared({"id": "7", "mode": "schedule", "request": {"pod": PENDING}}, upstream, ours)
    assert [text.splitlines()[1].strip() for text in found.differences] == ([path] if path else [])
    assert found.summary == f"area: 1 questions, {len(found.differences)} differences"


def test_an_error_is_no_answer() -> None:
    found = Comparison("area")
    found.add({"mode": "schedule", "request": {"pod": PENDING}}, {"answer": {"feasible": []}}, {"error": "no"})
    assert len(found.differences) == 1
    found.add({"mode": "schedule"}, {"error": 'running "A": null'}, {"error": 'running "A": no value'})
    assert len(found.differences) == found.excused[Excuse.NO_ANSWER] == 1
    found.add({"mode": "schedule"}, {"error": 'running "A": null'}, {"error": 'running "B": null'})
    assert len(found.differences) == 2


@pytest.mark.parametrize(("node", "excused"), [("", True), ("n1", False)])
def test_only_a_nominated_pod_may_be_refused_by_the_program(node: str, excused: bool) -> None:
    other = {"kind": "Pod", "spec": {"nodeName": node}, "status": {"nominatedNodeName": "n1"}}
    found = Comparison("area")
    question = {"mode": "schedule", "request": {"pod": PENDING, "objects": [other]}}
    found.add(question, {"error": "requiredAntiAffinityTerms: values: Invalid value"}, {"answer": {"feasible": []}})
    assert bool(found.excused[Excuse.REFUSED]) is excused
    assert bool(found.differences) is not excused


@pytest.mark.parametrize(
    ("mode", "request_", "error", "other", "excused"),
    [
        ("labelselector", {"text": "a in"}, "found ''", "The label selector cannot be read.", True),
        ("labelselector", {"text": "a in"}, "found ''", None, False),
        ("labelselector", {"selector": {"matchLabels": {"a": "-"}}}, "values", "other values", False),
        ("fieldselector", {"text": "a"}, "invalid selector", "It has no =.", True),
    ],
)
def test_refusals_may_be_worded_differently(
    mode: str, request_: Row, error: str, other: str | None, excused: bool
) -> None:
    ours = {"canonical": ""} if other is None else {"canonical": "", "error": other}
    found = compared({"mode": mode, "request": request_}, {"canonical": "", "error": error}, ours)
    assert bool(found.excused[Excuse.WORDS]) is excused
    assert bool(found.differences) is not excused


@pytest.mark.parametrize(
    ("text", "excused"),
    [
        ("-39.53Ti", True),
        ("-3Pi", True),
        ("-0.5Mi", True),
        ("-26.334980u", True),
        ("-1234567890123456789", True),
        ("-3Ki", False),
        ("-1500m", False),
        ("-1e3", False),
        ("-123456789012345678", False),
        ("-0.000000001", False),
    ],
)
def test_only_negative_big_decimals_may_have_other_integers(text: str, excused: bool) -> None:
    one = {"in": text, "canonical": text, "value": -1, "milli": -1, "sign": -1}
    found = compared({"mode": "quantity"}, {"quantities": [one]}, {"quantities": [one | {"value": -2}]})
    assert bool(found.excused[Excuse.NEGATIVE]) is excused
    assert bool(found.differences) is not excused
    assert compared({"mode": "quantity"}, {"quantities": [one]}, {"quantities": [one | {"sign": 1}]}).differences


@pytest.mark.parametrize(("whole", "excused"), [("0.5Gi", True), ("512Mi", False)])
def test_an_overhead_counts_once_but_where_upstream_shares_a_number(whole: str, excused: bool) -> None:
    spec = {"overhead": {"memory": "1Mi"}, "resources": {"requests": {"memory": whole}}}
    upstream = {"occupied": {"memory": {"text": "514Mi", "value": 514 << 20}}, "qos": "Burstable"}
    ours = {"occupied": {"memory": {"text": "513Mi", "value": 513 << 20}}, "qos": "Burstable"}
    found = compared({"mode": "requests", "request": {"pod": {"spec": spec}}}, upstream, ours)
    assert bool(found.excused[Excuse.ADDED_TWICE]) is excused
    assert bool(found.differences) is not excused


@pytest.mark.parametrize(("other", "excused"), [("p1", True), ("p2", False)])
def test_any_pod_without_a_request_may_be_named(other: str, excused: bool) -> None:
    requests = {"p0": {}, "p1": {}, "p2": {"cpu": "1"}}
    pods = [
        {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "resources": {"requests": amounts}}]}}
        for name, amounts in requests.items()
    ]
    upstream, ours = ({"error": f"missing request for cpu in container c of Pod {pod}"} for pod in (other, "p0"))
    found = compared({"mode": "hpa", "request": {"resource": "cpu", "pods": pods}}, upstream, ours)
    assert bool(found.excused[Excuse.ANY_POD]) is excused
    assert bool(found.differences) is not excused


def test_equal_amounts_may_be_written_in_other_units() -> None:
    upstream = {"occupied": {"memory": {"text": "2G", "value": 2}}}
    question = {"mode": "requests", "request": {"pod": {"spec": {}}}}
    assert not compared(question, upstream, {"occupied": {"memory": {"text": "2e9", "value": 2}}}).differences
    assert compared(question, upstream, {"occupied": {"memory": {"text": "2Gi", "value": 2}}}).differences


def message(code: str, name: str, **more: str) -> dict[str, str]:
    return {"analyzer": "x", "code": code, "level": "Error", "kind": "Gateway", "object": name, **more}


def test_texts_of_validation_and_restless_messages_are_left_out() -> None:
    always, restless = message("IST0101", "a", text="t"), message("IST0145", "b", text="t")
    upstream = {
        "messages": [always, message("IST0106", "a", text="Go's"), message("IST0109", "c")],
        "unstable": [message("IST0145", "b")],
    }
    ours = {"messages": [always, message("IST0106", "a", text="ours"), message("IST0109", "c", text="t"), restless]}
    found = compared({"mode": "analyze"}, upstream, ours)
    assert found.differences == []
    assert set(found.excused) == {Excuse.VALIDATION, Excuse.RESTLESS}


@pytest.mark.parametrize("other", [message("IST0101", "a", text="u"), message("IST0101", "b", text="t")])
def test_other_messages_of_analyzers_are_compared(other: dict[str, str]) -> None:
    upstream = {"messages": [message("IST0101", "a", text="t")]}
    assert compared({"mode": "analyze"}, upstream, {"messages": [other]}).differences


def test_without_upstream_it_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    monkeypatch.setattr("sys.argv", ["differential"])
    monkeypatch.setattr(oracle, "SOURCES", tmp_path)
    assert program.main() == 0
    assert capsys.readouterr().out.startswith("not compared with upstream: no tools/oracle and tools/fuzz in ")
