"""One fault to record: what is applied, how one sees that it shows, and the truth about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.real.cluster.layout import Document
from tests.real.namespace import Namespace

Step = Callable[[Namespace], None]
Test = Callable[[Namespace], bool]
SETTLE = 5.0


@dataclass(frozen=True)
class Fault:
    """`culprit`: kind and name of what it is right to name, the best first; a slash in a name
    parts another namespace, or none, from it, and `NAME-*` is any that begins so. `steps` follow `objects`; `repair` undoes what concerns the whole cluster. `settle`: seconds between
    the sight of the fault and the recording."""

    name: str
    story: str
    cause: str
    summary: str
    culprit: tuple[tuple[str, str], ...]
    objects: Callable[[str], list[Document]]
    shown: Test
    steps: Step | None = None
    repair: Step | None = None
    settle: float = SETTLE


def restarts(app: str, count: int) -> Test:
    """A container of the workload was started again so often, and is not running."""
    return lambda at: any(
        status["restartCount"] >= count and "running" not in status["state"] for status in every_container(at, app)
    )


def waits(app: str, reason: str) -> Test:
    return lambda at: any(
        status["state"].get("waiting", {}).get("reason") == reason for status in every_container(at, app)
    )


def event(reason: str, text: str = "") -> Test:
    return lambda at: bool(at.event(reason, text))


def every_container(at: Namespace, app: str) -> list[Document]:
    keys = ("containerStatuses", "initContainerStatuses")
    return [status for pod in at.pods(app) for key in keys for status in pod["status"].get(key, [])]
