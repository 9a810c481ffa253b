"""Conditions that the node-problem-detector and agents of clouds add to a node: which of them mean trouble."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.meta import Condition
from kubedoctor.replay.status.vocabulary import is_bad_condition

OWN: Final = frozenset({"Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable", "OutOfDisk"})
"""Those of the kubelet and the cloud's route controller."""
_WELL: Final = compiled_later(
    r"(?!Not|Un)\w*(?<!Not)(?<!Un)(?<!Update)(?<!Updates)(?<!Upgrade)(?<!Patch)(?<!Swap)(?<!Reboot)(Ready|Healthy|Health|Available)"
)
_TROUBLE: Final = compiled_later(
    r"Unhealthy\w*|\w*(Missing|Inactive|Errors|Flapping|Oops|Lost|Hardware\w*Fatal|Full)|\w*XID\w*|\w+Scheduled",
    re.IGNORECASE,
)
_DESCRIBES: Final = compiled_later(
    r"Kernel(?!Deadlock|Panic|Oops|Hang|Hung|Error|Bug|Crash|Lockup|Fail)|Not(?=[A-Z])|DisruptionTarget"
)
"""Names that tell of a property of the kernel, or that trouble is absent."""


def node_problems(node: Node) -> Iterator[Condition]:
    """The conditions that state a problem. A condition of an unknown kind, such as EtcdIsVoter, does not."""
    for stated in node.status.conditions or ():
        if stated.type in OWN:
            continue
        name = stated.type.rpartition("/")[2]
        well = bool(_WELL.fullmatch(name))
        if stated.status == ("False" if well else "True") and (
            well or (is_bad_condition(name) and not _DESCRIBES.match(name)) or _TROUBLE.fullmatch(name)
        ):
            yield stated
