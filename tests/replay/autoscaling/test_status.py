"""Both formats of the cluster-autoscaler's status, whole and broken."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubedoctor.cluster.kinds.core import ConfigMap
from kubedoctor.cluster.kinds.meta import ManagedMeta
from kubedoctor.replay.autoscaling.status import (
    LAST_UPDATED,
    AutoscalerStatus,
    line_of,
    moment,
    parse_status,
    read_status,
)

YAML = """\
time: 2026-01-15 09:59:50.558615784 +0000 UTC
autoscalerStatus: Running
clusterWide:
  health:
    status: Unhealthy
    nodeCounts:
      registered:
        total: 11
        ready: 4
        notStarted: 3
        beingDeleted: 1
        unready:
          total: 2
          resourceUnready: 1
      longUnregistered: 1
      unregistered: 2
    lastProbeTime: "2026-01-15T09:59:50Z"
    lastTransitionTime: "2026-01-14T14:52:02Z"
  scaleUp:
    status: InProgress
nodeGroups:
- name: https://www.googleapis.com/compute/v1/projects/p/zones/z/instanceGroups/spot
  health:
    status: Healthy
    nodeCounts:
      registered:
        total: 5
        ready: 4
        unready:
          total: 1
    cloudProviderTarget: 8
    minSize: 2
    maxSize: 12
  scaleUp:
    status: Backoff
    backoffInfo:
      errorCode: QUOTA_EXCEEDED
      errorMessage: 'Instance ''spot-t28s'': Quota ''CPUS'' exceeded. Limit: 57.0.'
    lastTransitionTime: "2026-01-15T09:52:02Z"
- name: "0042"
  health:
    status: Healthy
    cloudProviderTarget: 2
    minSize: 0
    maxSize: 2
  scaleUp:
    status: NoActivity
"""
TEXT = """\
Cluster-autoscaler status at 2026-01-15 09:59:50.546750398 +0000 UTC:
Cluster-wide:
  Health:      Healthy (ready=7 unready=0 (resourceUnready=0) notStarted=0 registered=9 longUnregistered=0)
               LastProbeTime:      2026-01-15 09:59:50.408724799 +0000 UTC m=+48988.192673876
               LastTransitionTime: 2026-01-14 14:52:02.009391854 +0000 UTC m=+10.793340938
  ScaleUp:     InProgress (ready=7 registered=9)
               LastProbeTime:      0001-01-01 00:00:00 +0000 UTC
               LastTransitionTime: 0001-01-01 00:00:00 +0000 UTC

NodeGroups:
  Name:        workers
  Health:      Healthy (ready=1 unready=0 notStarted=0 registered=1 cloudProviderTarget=3 (minSize=1, maxSize=7))
               LastProbeTime:      2026-01-15 09:59:50.408724799 +0000 UTC m=+48988.192673876
               LastTransitionTime: 0001-01-01 00:00:00 +0000 UTC
  ScaleUp:     InProgress (ready=1 cloudProviderTarget=3)
               LastProbeTime:      2026-01-15 09:59:50.408724799 +0000 UTC m=+48988.192673876
               LastTransitionTime: 2026-01-15 09:58:00.408724799 +0000 UTC m=+48900.1
  ScaleDown:   NoCandidates (candidates=0)

  Name:        gpu
  Health:      Unhealthy (ready=0 unready=2 notStarted=0 registered=2 cloudProviderTarget=2 (minSize=0, maxSize=2))
  ScaleUp:     Backoff (ready=0 cloudProviderTarget=2)

"""


def test_yaml_is_read_field_by_field() -> None:
    found = parse_status(YAML)
    assert found.readable
    assert found.state == "Running"
    assert found.unhealthy
    assert (found.ready, found.registered) == (4, 11)
    assert found.written_at == datetime(2026, 1, 15, 9, 59, 50, tzinfo=UTC)
    spot, number = found.groups
    assert spot.short_name == "spot"
    assert (spot.ready, spot.target, spot.maximum) == (4, 8, 12)
    assert spot.in_backoff
    assert not spot.at_maximum
    assert spot.error_code == "QUOTA_EXCEEDED"
    assert spot.error == "Instance 'spot-t28s': Quota 'CPUS' exceeded. Limit: 57.0."
    assert number.name == "0042"
    assert number.at_maximum
    assert number.ready is None


def test_text_is_read_line_by_line() -> None:
    found = parse_status(TEXT)
    assert found.readable
    assert found.state == "Running"
    assert not found.unhealthy
    assert (found.ready, found.registered) == (7, 9)
    assert found.written_at == datetime(2026, 1, 15, 9, 59, 50, tzinfo=UTC)
    workers, gpu = found.groups
    assert (workers.name, workers.ready, workers.target, workers.maximum) == ("workers", 1, 3, 7)
    assert workers.scaling_up
    assert gpu.in_backoff
    assert gpu.at_maximum
    assert gpu.unhealthy


@pytest.mark.parametrize("text", ["", "null", "[]", "just words", "a: [", "\x00", "status: {a: &a [*a]}", "- " * 3000])
def test_what_is_no_status_is_unreadable_or_empty(text: str) -> None:
    found = parse_status(text)
    assert found.groups == ()
    assert not found.state


def test_nulls_and_wrong_shapes_are_left_out() -> None:
    found = parse_status(
        "autoscalerStatus: ~\nclusterWide: null\nnodeGroups:\n- null\n- name: a\n  health: 5\n  scaleUp: [x]\n- {}\n"
    )
    assert found == AutoscalerStatus(readable=False, groups=found.groups)
    assert [one.name for one in found.groups] == ["a"]
    assert not found.groups[0].at_maximum, "what is not told is not claimed"


def test_numbers_that_are_none_are_not_told() -> None:
    text = "nodeGroups:\n- name: a\n  health: {cloudProviderTarget: -1, maxSize: 99999999999999999999}\n- name: b\n  health: {maxSize: x}\n"
    first, second = parse_status(text).groups
    assert (first.target, first.maximum, second.maximum) == (None, None, None)


@pytest.mark.parametrize("text", [YAML, TEXT])
def test_wherever_it_is_cut_off_nothing_false_is_read(text: str) -> None:
    """Groups that are read of a part are those of the whole, or lack fields; none is invented."""
    whole = {one.name: one for one in parse_status(text).groups}
    for length in range(len(text)):
        for one in parse_status(text[:length]).groups:
            known = next((each for name, each in whole.items() if name.startswith(one.name)), None)
            assert known is not None, text[:length]
            assert not one.at_maximum or known.at_maximum, text[:length]
            assert one.maximum in (None, known.maximum), text[:length]


def test_a_broken_end_costs_only_the_end() -> None:
    found = parse_status(YAML + "- name: 'cut")
    assert not found.readable
    assert [one.short_name for one in found.groups] == ["spot", "0042"]


def test_before_it_runs() -> None:
    head = "Cluster-autoscaler status at 2026-01-15 09:59:50.5 +0000 UTC:\n"
    assert parse_status(head + "Initializing").state == "Initializing"
    assert parse_status(head + "Cluster has no ready nodes.").message == "Cluster has no ready nodes."
    assert parse_status("autoscalerStatus: Initializing\n").state == "Initializing"


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-01-15 09:59:50.408724799 +0000 UTC m=+48988.192673876", 9),
        ("2026-01-15 09:59:50 +0200 CEST", 7),
        ("2026-01-15 09:59:50.4 -0330 NST", 13),
        ("2026-01-15T09:59:50Z", 9),
        ("2026-01-15T09:59:50+02:00", 7),
    ],
)
def test_times_of_go(text: str, hour: int) -> None:
    found = moment(text)
    assert found is not None
    assert found.hour == hour
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "soon", None, 5, "2026-13-45 99:00:00 +0000 UTC", "0001-01-01 00:00:00 +0000 UTC"]
)
def test_what_is_no_time(text: object) -> None:
    assert moment(text) is None


def test_the_newer_of_annotation_and_text_counts() -> None:
    later = "2026-01-15 10:30:00.5 +0000 UTC"
    config = ConfigMap(metadata=ManagedMeta(annotations={LAST_UPDATED: later}), data={"status": YAML})
    assert read_status(config).written_at == datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
    assert read_status(ConfigMap(data={"status": YAML})).written_at == datetime(2026, 1, 15, 9, 59, 50, tzinfo=UTC)
    assert read_status(ConfigMap()) == AutoscalerStatus(readable=False)


def test_the_line_that_says_so() -> None:
    def said(text: str, group: str, *keys: str) -> str:
        number = line_of(text, group, *keys)
        return text.splitlines()[number - 1].strip() if number else ""

    spot = parse_status(YAML).groups[0].name
    assert said(YAML, spot, "errorMessage:", "errorCode:").startswith("errorMessage: 'Instance")
    assert said(YAML, "0042", "maxSize") == "maxSize: 2"
    assert said(YAML, "0042", "errorMessage:") == ""
    assert said(YAML, "", "status: Unhealthy") == "status: Unhealthy"
    assert said(YAML, "gone", "maxSize") == ""
    assert said(TEXT, "gpu", "errorMessage:", "ScaleUp:") == "ScaleUp:     Backoff (ready=0 cloudProviderTarget=2)"
