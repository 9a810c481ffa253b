"""A step on the way to the API server."""

from __future__ import annotations

import msgspec

from kubedoctor.answers.sheet import Mark


class AccessStep(msgspec.Struct, frozen=True):
    """name: `kubeconfig`, `connection`, `certificate` and others, in the order of the way. text: a sentence without credentials.
    hint: what to try where it fails. passable: whether the way goes on all the same."""

    name: str
    text: str
    mark: Mark = Mark.YES
    hint: str = ""
    passable: bool = False
