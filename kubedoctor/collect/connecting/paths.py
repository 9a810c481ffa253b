"""Paths of requests: only reads, and reviews of one's own permissions, may leave."""

from __future__ import annotations

import re
from urllib.parse import quote

REVIEWS = frozenset(
    {
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    }
)
# A GET of these runs a command, opens a tunnel or sends a request of one's own into the cluster.
_NOT_READS = frozenset({"exec", "attach", "portforward", "proxy"})
_OF_THE_KUBELET = re.compile(r"/api/v1/nodes/[a-z0-9][a-z0-9.-]*/proxy/stats/summary")
"""What a kubelet has measured: the only path behind a proxy that is known to read and nothing else."""
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._:~%-]+)+")


class NotARead(Exception):
    """A request that would do more than read: a defect in kubedoctor, raised before anything is sent."""


def check_is_read(method: str, path: str) -> None:
    """Raises NotARead for everything but a GET that reads, or a POST that asks about one's own permissions."""
    if method == "POST" and path in REVIEWS:
        return
    if method != "GET":
        raise NotARead(f"{method} {path}")
    if path == "/":
        return
    if not _PATH.fullmatch(path) or "%2f" in path.lower():
        raise NotARead(f"{method} {path!r}: not the path of a resource")
    if _subresource(path.strip("/").split("/")) in _NOT_READS and not _OF_THE_KUBELET.fullmatch(path):
        raise NotARead(f"{method} {path}: not a read")


def _subresource(parts: list[str]) -> str:
    """The part of the path after the name of an object: `log` in `/api/v1/namespaces/shop/pods/web-1/log`."""
    segments = parts[2:] if parts[:1] == ["api"] else parts[3:] if parts[:1] == ["apis"] else []
    if segments[:1] == ["namespaces"] and len(segments) > 3:
        segments = segments[2:]
    return segments[2] if len(segments) > 2 else ""


def can_exist(*names: str) -> bool:
    """Whether objects may have these names: names that would form another path are not allowed
    (`IsValidPathSegmentName` of `apimachinery/pkg/api/validation/path`, v1.37)."""
    return all(name not in (".", "..") and "/" not in name and "%" not in name for name in names)


def segment(name: str) -> str:
    """A name as one segment of a path, quoted."""
    return quote(name, safe="")
