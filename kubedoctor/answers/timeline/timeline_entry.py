"""One line of a timeline."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kubedoctor.cluster.kinds.references import Ref


class TimelineEntry(msgspec.Struct, frozen=True):
    """Something that happened to `about`. `bad`: a Warning event or a container that failed; conditions are not judged.
    `change`: somebody or something changed it: a rollout, a write."""

    at: datetime
    about: Ref
    text: str
    bad: bool = False
    change: bool = False
