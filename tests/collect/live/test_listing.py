"""Answers to a list that would take more memory than there is."""

from __future__ import annotations

import json

import pytest

from kubedoctor.cluster.seen.wants import Want
from kubedoctor.collect.connecting.connection import connect
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.collect.live.cluster import LiveSource
from kubedoctor.collect.live.listing import LARGE, MOST_OBJECTS, check_count
from kubedoctor.collect.options import Options
from kubedoctor.sandbox import Sandbox, SandboxState, faults, serve
from tests.collect.served import OBJECTS

TOO_MANY = f"it has more than {MOST_OBJECTS:,} objects"
NO_OBJECT = "the response cannot be decoded (an item is no object)"


def items(unit: str) -> bytes:
    """A list of pods that is just large enough to be counted."""
    head = '{"kind":"PodList","apiVersion":"v1","metadata":{},"items":['
    return f"{head}{f'{unit},' * (LARGE // len(unit))}{unit}]}}".encode()


@pytest.mark.parametrize(
    ("unit", "why"), [("{}", TOO_MANY), ('{"a":1}', TOO_MANY), ("0", NO_OBJECT), ("[[]]", NO_OBJECT), ('""', NO_OBJECT)]
)
def test_a_large_answer_of_tiny_items_is_refused_before_they_become_objects(unit: str, why: str) -> None:
    with pytest.raises(ApiRefusal) as refused:
        check_count(items(unit))
    assert refused.value.clause.endswith(why)


@pytest.mark.parametrize(
    "body",
    [
        items(json.dumps({"metadata": {"name": "web-1", "annotations": {"a": "x" * 1000}}})),
        items(json.dumps({"metadata": {"name": "web-1", "annotations": {"a": "x" * 1000}}}))[:-100],
        b'{"items":null}' + b" " * LARGE,
        b"<html>" * LARGE,
        b"[{},",
    ],
)
def test_what_is_large_for_another_reason_is_read_as_ever(body: bytes) -> None:
    check_count(body)


def test_such_an_answer_is_a_gap_with_its_reason() -> None:
    sandbox = Sandbox(
        SandboxState(list(OBJECTS), namespace="shop"), faults=(faults.html_page("pods", page=items("{}").decode()),)
    )
    with serve(sandbox) as served:
        source = LiveSource(Transport(connect(Options(kubeconfig=str(served.kubeconfig)), {}), pause=lambda _: None))
        source.list_all(["Node", "Pod"])
        source.close()
    assert TOO_MANY in source.snapshot.refusal(Want("Pod"))
    assert not source.snapshot.of_kind("Pod")
    assert source.snapshot.of_kind("Node")
