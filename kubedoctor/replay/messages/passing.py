"""Whether a message tells of progress, or of trouble that is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.status.vocabulary import is_bad_condition

_PROGRESS: Final = timedelta(minutes=5)
"""How long waiting is normal without a report of failure."""
_FRESH: Final = timedelta(minutes=1)
_OFTEN: Final = 20
_SERIES_ENDED: Final = timedelta(minutes=5)
_FEW: Final = 5

_BACK_OFF: Final = "BackOff"
"""The kubelet repeats an error with it, as an event of the type Normal."""
_ON_ITS_WAY: Final = frozenset({"Reconciling", "Progressing", "Issuing"})

_OF_PODS: Final = frozenset({"image", "sandbox", "start", "mount", "attach", "probe", "mesh"})
"""Areas whose trouble prevents that a pod becomes ready."""
_WAITING: Final = frozenset(
    {
        MessageClass.PROVISION_DRIVER_WAITING,
        MessageClass.RESIZE_DRIVER_MISSING,
        MessageClass.LOADBALANCER_TIMEOUT,
    }
)
_TOLD_AS_NORMAL: Final = frozenset(
    {
        MessageClass.NODE_SCALE_NO_FIT,
        MessageClass.NODE_DRAIN_BLOCKED,
        MessageClass.MESH_NOT_INJECTED,
        MessageClass.PROVISION_BINDING,
        MessageClass.EVICT_PREEMPTED,
        MessageClass.EVICT_TAINT,
        MessageClass.NODE_KUBELET_SILENT,
        MessageClass.NODE_PRESSURE,
    }
)
"""Trouble that components write as events of the type Normal."""


def is_over(message: Message, message_class: MessageClass) -> bool:
    """Whether the circumstances or the type of the message show that nothing is to be done."""
    if message.status:
        return _condition_is_well(message)
    if message_class in _WAITING and (message.type == "Normal" or message.age is not None):
        return message.age is None or message.age < _PROGRESS
    if message.type == "Normal" and message.reason != _BACK_OFF and message_class not in _TOLD_AS_NORMAL:
        return True
    if message.pod_ready and message_class.area in _OF_PODS:
        return not _is_again_and_again(message)
    if message_class.area == "hpa" and message.type == "Warning":
        return _ended(message)
    return False


def _condition_is_well(message: Message) -> bool:
    if message.status == "Unknown":
        return False
    name = message.condition.rpartition("/")[2]
    if name in _ON_ITS_WAY and message.status == "True":
        return message.age is None or message.age < _PROGRESS
    return (message.status == "True") != is_bad_condition(name)


def _is_again_and_again(message: Message) -> bool:
    """A pod can be ready between two failures."""
    return message.age is not None and message.age < _FRESH and (message.count or 0) >= _OFTEN


def _ended(message: Message) -> bool:
    """An autoscaler repeats an event every 15 s while the trouble lasts."""
    return (
        message.age is not None and message.age >= _SERIES_ENDED and message.count is not None and message.count <= _FEW
    )
