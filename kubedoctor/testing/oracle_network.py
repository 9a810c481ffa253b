"""The oracle's modes that may ask about the objects of an earlier row of mode `cluster`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from kubedoctor.testing.asked import Answer, State
from kubedoctor.testing.oracle_reach import answer_reach

ABOUT_A_STATE: dict[str, Callable[[msgspec.Raw, State], Answer]] = {
    "reach": answer_reach,
}
