"""When the taints of a node evict a pod."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubedoctor.cluster import Pod
from kubedoctor.cluster.kinds.core import Taint
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.replay.disruption.taint_evictions import taint_eviction

ADDED = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
TAINT = Taint(key="maintenance", value="soon", effect="NoExecute", time_added=ADDED)
UNREACHABLE = Taint(key="node.kubernetes.io/unreachable", effect="NoExecute", time_added=ADDED)


def pod(*tolerations: dict[str, Any]) -> Pod:
    spec = {"tolerations": list(tolerations), "containers": [{"name": "app", "image": "web:1"}]}
    (made,) = convert_object("Pod", {"kind": "Pod", "metadata": {"name": "web"}, "spec": spec}).objects
    assert isinstance(made, Pod)
    return made


@pytest.mark.parametrize(
    ("tolerations", "taints", "after"),
    [
        ([], [TAINT], 0),
        ([{"operator": "Exists"}], [TAINT, UNREACHABLE], None),
        ([{"operator": "Exists", "tolerationSeconds": 60}], [TAINT], 60),
        ([{"key": "maintenance", "value": "soon"}], [TAINT], None),
        ([{"key": "maintenance", "value": "later"}], [TAINT], 0),
        ([{"operator": "Exists", "effect": "NoSchedule"}], [TAINT], 0),
        # The shortest of the tolerations that apply counts, also where another has no limit.
        ([{"operator": "Exists"}, {"key": "maintenance", "operator": "Exists", "tolerationSeconds": 9}], [TAINT], 9),
        ([{"operator": "Exists", "tolerationSeconds": -1}], [TAINT], 0),
        ([{"key": UNREACHABLE.key, "operator": "Exists", "tolerationSeconds": 300}], [UNREACHABLE], 300),
        ([{"key": UNREACHABLE.key, "operator": "Exists", "tolerationSeconds": 300}], [UNREACHABLE, TAINT], 0),
        ([], [Taint(key="maintenance", effect="NoSchedule")], None),
        ([], [], None),
    ],
)
def test_the_taint_that_evicts_first(tolerations: list[dict[str, Any]], taints: list[Taint], after: int | None) -> None:
    found = taint_eviction(pod(*tolerations), taints)
    assert (found and found.after) == (None if after is None else timedelta(seconds=after))
    if found is not None:
        assert found.at == ADDED + found.after


def test_a_taint_without_a_time_says_only_how_long() -> None:
    found = taint_eviction(pod(), [Taint(key="maintenance", effect="NoExecute")])
    assert found is not None
    assert found.at is None
