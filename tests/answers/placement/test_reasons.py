"""What objects to nodes, in a few words."""

from __future__ import annotations

import pytest

from kubedoctor.answers.placement.reasons import amount, group_reasons, short_reason
from kubedoctor.replay.scheduler.cycle import NodeVerdict, Objection
from kubedoctor.replay.scheduler.framework import Code, Shortage, Status, reason
from kubedoctor.replay.scheduler.many.grouping import NodeVerdictGroup
from kubedoctor.replay.scheduler.plugins.node_resources_fit import RESOURCE
from kubedoctor.replay.scheduler.plugins.taint_toleration import TAINT


def lacks(requested: int, used: int, capacity: int, resource: str = "cpu") -> Objection:
    status = Status(
        Code.UNSCHEDULABLE,
        (reason(RESOURCE, f"Insufficient {resource}", resource),),
        (Shortage(resource, requested, used, capacity),),
    )
    return Objection("NodeResourcesFit", status)


def test_figures_are_told_only_where_they_hold_for_every_node() -> None:
    near, far = lacks(2000, 3000, 4000), lacks(2000, 2000, 2000)
    assert short_reason(near, figures=True) == "lacks 1 cpu (1 of 4 free)"
    assert short_reason(near, near, figures=True) == "lacks 1 cpu (1 of 4 free)"
    assert short_reason(near, far, figures=True) == "lacks 1 to 2 cpu"
    assert short_reason(near) == "lacks 1 cpu"
    assert short_reason(lacks(3000, 0, 2000), figures=True) == "lacks 1 cpu, node too small (has 2 in total)"


def test_a_full_node_and_several() -> None:
    assert short_reason(lacks(1, 2, 2, "pods")) == "maximum of 2 pods reached"
    assert short_reason(lacks(1, 2, 2, "pods"), lacks(1, 110, 110, "pods")) == "maximum of 2 to 110 pods reached"


def test_each_filter_of_a_group_speaks_for_all_its_nodes() -> None:
    taint = Objection(
        "TaintToleration",
        Status(Code.UNRESOLVABLE, (reason(TAINT, "node(s) had untolerated taint(s)"),), named=("a:NoSchedule",)),
    )
    nodes = tuple(
        NodeVerdict(name, taint, (taint, lacks(2000, used, 4000))) for name, used in (("x", 3000), ("y", 4000))
    )
    assert group_reasons(NodeVerdictGroup(nodes)) == {
        "TaintToleration": "taint a:NoSchedule",
        "NodeResourcesFit": "lacks 1 to 2 cpu",
    }


@pytest.mark.parametrize(
    ("resource", "number", "text"),
    [
        ("cpu", 200, "200m"),
        ("cpu", 1500, "1.5"),
        ("memory", 1 << 30, "1Gi"),
        ("memory", (1 << 30) + (1 << 20), "1025Mi"),
        ("memory", (1 << 30) + 1, "1025Mi"),  # what is missing is never told as less
        ("example.com/gpu", 3, "3"),
    ],
)
def test_amounts(resource: str, number: int, text: str) -> None:
    assert amount(resource, number) == text
