"""What a hook of a container does, in words."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster import Container, visible

_LONGEST: Final = 60


def hook_in_words(container: Container, which: str) -> str:
    """` (`/bin/drain --all`)`, to go behind the container's name; which: `pre_stop` or `post_start`. Empty where it does
    nothing that can be named."""
    hook = getattr(container.lifecycle, which, None)
    if hook is None:
        return ""
    if hook.exec is not None and hook.exec.command:
        return f" (`{visible(' '.join(hook.exec.command), _LONGEST)}`)"
    if hook.http_get is not None:
        return f" (GET {hook.http_get.path or '/'} on port {hook.http_get.port})"
    return ""
