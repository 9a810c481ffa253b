"""What a hook of a container does, in words."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster import LifecycleHandler, visible

_LONGEST: Final = 60


def hook_in_words(hook: LifecycleHandler | None) -> str:
    """` (`/bin/drain --all`)`, to go behind the container's name. Empty where it does nothing that can be named."""
    if hook is None:
        return ""
    if hook.exec is not None and hook.exec.command:
        return f" (`{visible(' '.join(hook.exec.command), _LONGEST)}`)"
    if hook.http_get is not None:
        return f" (GET {hook.http_get.path or '/'} on port {hook.http_get.port})"
    return ""
