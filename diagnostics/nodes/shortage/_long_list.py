"""Containers of a node that are so many that their list does not fit a message between the kubelet and its runtime."""

from __future__ import annotations

import re
from typing import Final

_TOO_LONG: Final = re.compile(r"(?:send|received?) (?:a )?message larger than max(?: \(\d+ vs\. (?P<most>\d+)\))?")
"""Of gRPC; the kubelet and containerd allow 16 MiB (`k8s.io/cri-client/pkg`, maxMsgSize)."""
REPAIR: Final = (
    "On the node, remove containers and sandboxes that ended (`crictl rm $(crictl ps -a -q --state exited)`, `crictl rmp` for"
    " sandboxes), and keep fewer pods that ended: ttlSecondsAfterFinished, the clean-up of pipelines"
)


def too_long(message: str) -> str:
    """What is too long, in words; empty for another message."""
    found = _TOO_LONG.search(message)
    if found is None:
        return ""
    most = int(found["most"] or 0) // 2**20
    limit = f"the {most}Mi that a message of the container runtime may have" if most else "what a message may have"
    return f"the list of its containers, most of which ended, is longer than {limit}: the kubelet cannot list or remove them"
