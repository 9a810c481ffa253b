"""How a cluster is at one moment, in numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kubedoctor.collect.computed.usage import Use
from kubedoctor.engine.health import Health
from kubedoctor.tui.pulses.charts import NAMES, chart
from kubedoctor.tui.pulses.pulse import MINUTES, Pulse, pulse_of
from tests.tui.test_rows import NOW, cluster, meta, pod


def ago(minutes: int) -> str:
    return f"{NOW - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def event(name: str, first: int, last: int, count: int, kind: str = "Warning") -> tuple[str, Any]:
    times = {"firstTimestamp": ago(first), "lastTimestamp": ago(last), "count": count}
    return "Event", {"metadata": meta(name), "type": kind, "reason": "R", "message": "m", **times}


def test_warnings_that_came_often_are_spread_over_their_time() -> None:
    snapshot = cluster(
        event("once", 3, 3, 1), event("often", 9, 0, 20), event("normal", 0, 0, 9, "Normal"), event("old", 500, 490, 7)
    )
    warnings = pulse_of(snapshot, "", {}, None, NOW).warnings
    assert len(warnings) == MINUTES
    assert warnings[-10:] == (2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0, 2.0, 2.0, 2.0)
    assert not any(warnings[:-10])


def test_of_a_warning_that_began_before_the_first_minute_only_its_part_counts() -> None:
    (warnings,) = {pulse_of(cluster(event("long", 119, 0, 240)), "", {}, None, NOW).warnings}
    assert set(warnings) == {2.0}


def test_the_last_end_of_each_container_is_a_restart() -> None:
    kind, made = pod("web", restarts=4, ready="False")
    made["status"]["containerStatuses"][0]["lastState"] = {"terminated": {"exitCode": 1, "finishedAt": ago(2)}}
    pulse = pulse_of(cluster((kind, made), pod("db")), "shop", {}, None, NOW)
    assert pulse.restarts[-3:] == (1.0, 0.0, 0.0)
    assert (pulse.pods, pulse.pods_ready) == (2, 1)


def test_pods_that_are_over_do_not_count() -> None:
    kind, made = pod("migrate", ready="False")
    made["status"]["phase"] = "Succeeded"
    assert pulse_of(cluster((kind, made)), "", {}, None, NOW).pods == 0


def test_what_is_used_of_what_the_nodes_have() -> None:
    node = {
        "metadata": {"name": "n1"},
        "status": {"allocatable": {"cpu": "4", "memory": "8Gi"}, "conditions": [{"type": "Ready", "status": "True"}]},
    }
    pulse = pulse_of(cluster(("Node", node)), "", {}, {("", "n1"): Use(1000, 1 << 31)}, NOW)
    assert (pulse.nodes, pulse.nodes_ready, pulse.room) == (1, 1, Use(4000, 1 << 33))
    assert chart("cpu", [pulse], [0]).now == "1 of 4, 25%"
    assert chart("memory", [pulse], [0]).now == "2Gi of 8Gi, 25%"


def test_what_is_not_known_is_said() -> None:
    shown = {name: chart(name, [Pulse()], [None]) for name in NAMES}
    assert shown["cpu"].now == shown["memory"].now == "n/a: no metrics"
    assert shown["incidents"].now == "examining…"
    assert not shown["cpu"].values


def test_each_pulse_is_one_bar() -> None:
    pulses = [Pulse(pods=3, pods_ready=ready, workloads={Health.BROKEN: 3 - ready}) for ready in (3, 1, 2)]
    assert chart("pods", pulses, [0, 0, 1]).values == (0.0, 2.0, 1.0)
    assert chart("pods", pulses, [0, 0, 1]).now == "1 of 3"
    assert chart("workloads", pulses, [0, 0, 1]).values == (0.0, 2.0, 1.0)
    assert chart("incidents", pulses, [None, 0, 1]).values == (0.0, 1.0)
