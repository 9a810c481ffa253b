"""The same message is trouble or over, by what is known of its circumstances."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message

PROBE = Message(
    text="Readiness probe failed: HTTP probe failed with statuscode: 503",
    reason="Unhealthy",
    kind="Pod",
    type="Warning",
)
WAITING = Message(
    text="Waiting for a volume to be created either by the external provisioner 'x' or manually",
    reason="ExternalProvisioning",
    kind="PersistentVolumeClaim",
    type="Normal",
)
METRICS = Message(
    text="failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)",
    reason="FailedGetResourceMetric",
    kind="HorizontalPodAutoscaler",
    type="Warning",
)
PRESSURE = Message(text="", kind="Node", condition="MemoryPressure", reason="KubeletHasInsufficientMemory")


def of(message: Message, **known: object) -> MessageClass | None:
    reading = read_message(msgspec.structs.replace(message, **known))
    return reading.message_class if reading else None


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


@pytest.mark.parametrize(
    ("message", "known", "expected"),
    [
        (PROBE, {}, MessageClass.PROBE_STATUS_CODE),
        (PROBE, {"pod_ready": True}, MessageClass.PROBE_HEALTHY),
        (PROBE, {"pod_ready": True, "age": minutes(0), "count": 400}, MessageClass.PROBE_STATUS_CODE),
        (WAITING, {}, MessageClass.PROVISION_HEALTHY),
        (WAITING, {"age": minutes(1)}, MessageClass.PROVISION_HEALTHY),
        (WAITING, {"age": minutes(60)}, MessageClass.PROVISION_DRIVER_WAITING),
        (METRICS, {"age": minutes(30)}, MessageClass.HPA_NO_METRICS),
        (METRICS, {"age": minutes(30), "count": 2}, MessageClass.HPA_HEALTHY),
        (METRICS, {"age": minutes(0), "count": 2}, MessageClass.HPA_NO_METRICS),
        (PRESSURE, {"status": "True"}, MessageClass.NODE_PRESSURE),
        (PRESSURE, {"status": "False"}, MessageClass.NODE_HEALTHY),
    ],
)
def test_circumstances(message: Message, known: dict[str, object], expected: MessageClass) -> None:
    assert of(message, **known) is expected


def test_of_an_unknown_message_nothing_is_said() -> None:
    assert read_message(Message(text="hello", kind="Widget", reason="Hello")) is None
