"""Takes off what messages of failed steps begin with, whatever the reason is; the reason is at the end and stays whole.

`pkg/kubelet/{images,kuberuntime}`, gRPC's status, containerd, CRI-O, runc, crun, Docker, the controllers.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

_PARTS: Final = (
    r"\(combined from similar events\):",
    r"Error:",
    r"Err[A-Z]\w+:",
    r"rpc error: code = \w+ desc =",
    r"Error response from daemon:",
    # images
    r'(?:Back-off pulling image|Failed to pull image|Failed to inspect image) "[^"]*":',
    r'failed to pull (?:and unpack )?image "[^"]*":',
    r'failed to resolve (?:reference|image) "[^"]*":',
    r"initializing source \S+:",
    # sandboxes
    r"Failed to create pod sandbox:",
    r'failed to set ?up (?:pod )?network for (?:pod )?sandbox "[^"]*":',
    r'failed to set up sandbox container "[^"]*" network for pod "[^"]*":',
    r"failed to create pod network sandbox \S+:",
    r'failed to (?:create|start) sandbox (?:container )?(?:task )?"[^"]*":',
    # the start of a program
    r'failed to (?:create|start) containerd (?:task|container)(?: "[^"]*")?:',
    r"failed to create shim(?: task)?:",
    r'failed to (?:create|start) container(?: "?[\w.-]+"?)?:',
    r"OCI runtime \w+ failed:",
    r"container create failed:",
    r"(?:runc|crun|youki|runsc) (?:create|run|start|exec) failed:",
    r"exec failed:",
    r"failed to exec in container:",
    r'failed to start exec "[^"]*":',
    r"container_linux\.go:\d+: starting container process caused:",
    r"unable to start container process:",
    r"error during container init:",
    r'failed to generate (?:container )?(?:"[^"]*" )?spec:',
    # controllers
    r"Error (?:syncing|creating|updating) load balancer(?: \(will retry\))?:",
    r"failed to ensure load balancer(?: for service \S+)?:",
    r"Error creating(?: job| pod)?:",
    r"[Cc]reate Pod \S+ in \w+ \S+ failed error:",
)

_ENOUGH: Final = 60
"""A shorter reason keeps the step that failed."""


@cache
def _wrapper() -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(_PARTS)})\s*")


def starts_of_reason(message: str) -> list[int]:
    """Where each wrapper ends, from the outermost on; what follows the last is the reason. 0 is the first."""
    starts = [0]
    while (wrapper := _wrapper().match(message, starts[-1])) and message[wrapper.end() :].strip():
        starts.append(wrapper.end())
    return starts


def without_wrappers(message: str) -> str:
    """The reason alone, to the end of the message."""
    return message[starts_of_reason(message)[-1] :].strip()


def deciding_words(message: str, phrase: int | None) -> str:
    """The message from its reason on, or from the step that failed where the reason is short. `phrase`: where that
    begins which decided; nothing from there on is left out."""
    latest = len(message) - _ENOUGH if phrase is None else min(phrase, len(message) - _ENOUGH)
    return message[max(start for start in starts_of_reason(message) if start <= max(latest, 0)) :].strip()
