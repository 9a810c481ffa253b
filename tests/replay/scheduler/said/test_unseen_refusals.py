"""A refusal stands where a plugin that saw all it needs agrees."""

from __future__ import annotations

import pytest

from kubedoctor.replay.scheduler.cycle import NodeVerdict, Objection, SchedulingVerdict
from kubedoctor.replay.scheduler.framework import OTHER, reason, unresolvable
from kubedoctor.replay.scheduler.said.unseen_refusals import rests_on_unseen


def objection(plugin: str) -> Objection:
    return Objection(plugin, unresolvable(reason(OTHER, "no")))


def on_nodes(*plugins: tuple[str, ...]) -> SchedulingVerdict:
    nodes = []
    for number, names in enumerate(plugins):
        blockers = tuple(objection(name) for name in names)
        nodes.append(NodeVerdict(f"n{number}", blockers[0] if blockers else None, blockers))
    return SchedulingVerdict(len(nodes), tuple(nodes))


@pytest.mark.parametrize(
    ("verdict", "kinds", "expected"),
    [
        (on_nodes(("VolumeBinding",)), ["StorageClass"], True),
        (on_nodes(("VolumeBinding",)), [], False),
        (on_nodes(("VolumeBinding",)), ["Namespace"], False),
        (on_nodes(("VolumeBinding", "VolumeZone")), ["PersistentVolume"], True),
        (on_nodes(("NodeResourcesFit", "VolumeBinding")), ["StorageClass"], False),
        (on_nodes(("VolumeBinding", "NodeResourcesFit")), ["StorageClass"], False),
        (on_nodes(("NodeResourcesFit",), ("VolumeBinding",)), ["StorageClass"], True),
        (on_nodes(("InterPodAffinity",)), ["Namespace"], True),
        (on_nodes(("PodTopologySpread",)), ["Pod"], True),
        (on_nodes(("NodeResourcesFit",)), ["Pod"], False),  # more pods take more
        (on_nodes(()), ["StorageClass"], False),
        (SchedulingVerdict(2, pre_filter=objection("VolumeBinding")), ["PersistentVolumeClaim"], True),
        (SchedulingVerdict(2, pre_filter=objection("NodeAffinity")), ["PersistentVolumeClaim"], False),
        (SchedulingVerdict(2, pre_filter=objection("")), ["PersistentVolumeClaim"], True),
    ],
)
def test_refusals(verdict: SchedulingVerdict, kinds: list[str], expected: bool) -> None:
    assert rests_on_unseen(verdict, kinds) is expected
