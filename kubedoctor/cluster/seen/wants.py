"""Requests for objects that have not been fetched, and the exceptions for missing and unreadable objects."""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.credentials import without_credentials
from kubedoctor.cluster.kinds.references import Ref


class Want(msgspec.Struct, frozen=True, order=True):
    """Objects to fetch: all of a kind, those of a namespace, those with labels or fields, or one by name.

    `namespace` empty means every namespace (or a cluster-scoped kind). `labels` and `fields` are selectors
    as kubectl writes them.
    """

    kind: str
    namespace: str = ""
    name: str = ""
    labels: str = ""
    fields: str = ""

    def __str__(self) -> str:
        verb = "get" if self.name else "list"
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{verb} {self.kind}{'/' + self.name if self.name else ''}{where}"


class LogWant(msgspec.Struct, frozen=True, order=True):
    """The last lines of a container's log, of the running or of the previous container."""

    namespace: str
    pod: str
    container: str
    previous: bool = False

    def __str__(self) -> str:
        if self == READYZ:
            return "get /readyz"
        if self.node:
            return f"get the volumes of node {self.node}"
        return f"{'previous ' if self.previous else ''}log of {self.namespace}/{self.pod} ({self.container})"

    @property
    def about(self) -> Ref:
        """The pod or the node; for the API server's own checks, the namespace of the control plane."""
        if self.node:
            return Ref("Node", "", self.node)
        return Ref("Pod", self.namespace, self.pod) if self.pod else Ref("Namespace", "", "kube-system")

    @property
    def node(self) -> str:
        """The node whose volumes are wanted, see `volumes_want`; empty for a log."""
        return self.pod if not self.namespace else ""


READYZ: Final = LogWant("", "", "readyz")
"""The API server's own checks, `/readyz?verbose`: lines of text that are read and recorded as a log is."""
VOLUMES: Final = "volumes"


def volumes_want(node: str) -> LogWant:
    """How full the volumes of a node are, as its kubelet measures them: a line for each claim, read and recorded as a log is."""
    return LogWant("", node, VOLUMES)


class NotCollected(Exception):
    """A read needs objects that have not been fetched yet: fetch `wants`, then read again."""

    def __init__(self, *wants: Want | LogWant) -> None:
        super().__init__(", ".join(str(want) for want in wants))
        self.wants = wants


class Barrier(Enum):
    """Why a want is not answered, as far as it matters for what a person can do about it."""

    FORBIDDEN = "forbidden"
    NOT_SERVED = "not served"
    OTHER = "other"


class CannotSee(Exception):
    """A needed object cannot be read: refused, not in the bundle, or incomplete. `why` is a clause for people."""

    def __init__(self, kind: str, why: str) -> None:
        self.kind = kind
        self.why = without_credentials(why)
        super().__init__(f"{kind}: {self.why}")


class Gap(msgspec.Struct, frozen=True, order=True):
    """Something that could not be seen. `partial`: a part could be seen, so conclusions from it are less certain."""

    kind: str
    why: str
    partial: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.why}"


class LogTail(msgspec.Struct, frozen=True):
    """The last lines of a log, oldest first. `truncated`: there were more before."""

    pod: Ref
    container: str
    previous: bool
    lines: tuple[str, ...]
    truncated: bool = False
