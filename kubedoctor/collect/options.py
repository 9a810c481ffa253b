"""The source to read, as given by the command line."""

from __future__ import annotations

import msgspec


class Options(msgspec.Struct, frozen=True):
    """The values of the flags, with kubectl's meaning. `request_timeout` is a Go duration; `from_` names files of a
    bundle. `at` is a moment of a recorded history."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    all_namespaces: bool = False
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    request_timeout: str | None = None
    from_: tuple[str, ...] = ()
    at: str = ""
