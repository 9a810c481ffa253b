"""What to read, as the flags of the command line say it."""

from __future__ import annotations

import msgspec


class Options(msgspec.Struct, frozen=True):
    """What the flags say, as kubectl means them. `request_timeout` is a Go duration; `from_` names files of a bundle."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    all_namespaces: bool = False
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    request_timeout: str | None = None
    from_: tuple[str, ...] = ()
