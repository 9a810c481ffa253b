"""Which part of the cluster's pod range each node gets."""

from __future__ import annotations

import pytest

from kubedoctor.cluster import Node
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.replay.network.pod_ranges import pod_ranges


def node(name: str, *ranges: str) -> Node:
    spec = {"podCIDR": ranges[0], "podCIDRs": list(ranges)} if ranges else {}
    (made,) = convert_object("Node", {"kind": "Node", "metadata": {"name": name}, "spec": spec}).objects
    assert isinstance(made, Node)
    return made


@pytest.mark.parametrize(
    ("whole", "room", "exhausted"),
    [
        ("10.244.0.0/23", 2, True),
        ("10.244.0.0/22", 4, False),
        ("10.244.0.0/24", 1, True),
        ("10.244.0.0/25", None, False),
        ("", None, False),
        ("all of them", None, False),
        ("fd00::/48", None, False),
    ],
)
def test_the_room_of_the_cluster(whole: str, room: int | None, exhausted: bool) -> None:
    (ranges,) = pod_ranges([node("a", "10.244.0.0/24"), node("b", "10.244.1.0/24"), node("c")], whole)
    assert (ranges.used, ranges.size, ranges.room, ranges.exhausted) == (2, 24, room, exhausted)


def test_each_family_has_its_range() -> None:
    four, six = pod_ranges([node("a", "10.0.0.0/24", "fd00:1::/64")], "10.0.0.0/24,fd00:1::/48")
    assert (four.family, four.exhausted, six.family, six.exhausted) == (4, True, 6, False)


def test_only_the_first_field_as_in_old_versions() -> None:
    old = convert_object("Node", {"kind": "Node", "metadata": {"name": "a"}, "spec": {"podCIDR": "10.0.0.0/24"}})
    (only,) = old.objects
    assert isinstance(only, Node)
    assert [ranges.used for ranges in pod_ranges([only])] == [1]
