"""Numbers or percentages (`ValidatePositiveIntOrPercent`, `IsNotMoreThan100Percent`, v1.37)."""

from __future__ import annotations

import re

from kubedoctor.replay.validation.fields import Field


def share(at: Field, *, most: int = 0) -> None:
    """most: of a percentage; 0 for no limit."""
    if not at.given:
        return
    if isinstance(at.value, str):
        if not re.fullmatch(r"\d+%", at.text):
            at.invalid(
                "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%' or '93%', regex used for validation is '[0-9]+%')"
            )
        elif most and int(at.text[:-1]) > most:
            at.invalid(f"must not be greater than {most}%")
    else:
        at.at_least(0)


def is_zero(at: Field) -> bool:
    """`0` or `0%`; a value that is not there has a default."""
    return at.value in (0, "0%") and not isinstance(at.value, bool)
