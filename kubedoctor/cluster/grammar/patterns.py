"""Regular expressions that most runs of the program do not use, since compiling one takes longer than importing its module,
and those that people write."""

from __future__ import annotations

import re
import warnings
from typing import Any, AnyStr, cast


class _Later:
    """Stands for a pattern, and compiles it for the first attribute that is asked for."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        value = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, value)
        return value


def compiled_later(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, but the text is compiled, and wrong text found, at the first use."""
    return cast("re.Pattern[AnyStr]", _Later(text, flags))


def written_pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """As `re.compile`, of text that a person has written: what Python may read otherwise in the future is no problem of
    theirs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.compile(text, flags)
