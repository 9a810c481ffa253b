"""Settings with which Go's garbage collector takes the CPU."""

from __future__ import annotations

import msgspec
import pytest

from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.replay.kubelet.memory.go_collector import busy_collector


@pytest.mark.parametrize(
    ("variables", "in_use", "flag"),
    [
        ({"GOGC": "10"}, "", "GOGC=10"),
        ({"GOGC": "20"}, "1Gi", "GOGC=20"),
        ({"GOGC": "50"}, "1Gi", ""),
        ({"GOGC": "off"}, "1Gi", ""),
        ({"GOGC": "-1"}, "1Gi", ""),
        ({"GOGC": "0"}, "1Gi", ""),
        ({"GOMEMLIMIT": "100MiB"}, "95Mi", "GOMEMLIMIT=100MiB"),
        ({"GOMEMLIMIT": "100MiB"}, "94Mi", ""),
        ({"GOMEMLIMIT": "100MiB"}, "", ""),
        ({"GOMEMLIMIT": "100MiB"}, "much", ""),
        ({"GOMEMLIMIT": "off"}, "95Mi", ""),
        ({"NODE_OPTIONS": "--max-old-space-size=90"}, "95Mi", ""),
        ({}, "95Mi", ""),
    ],
)
def test_a_setting_that_has_it_collect_all_the_time(variables: dict[str, str], in_use: str, flag: str) -> None:
    env = [{"name": name, "value": value} for name, value in variables.items()]
    found = busy_collector(msgspec.convert({"name": "app", "env": env}, Container), in_use)
    assert (found.flag if found is not None else "") == flag
