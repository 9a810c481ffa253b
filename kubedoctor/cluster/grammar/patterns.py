"""Regular expressions that most runs of the program do not use: compiling one takes longer than importing its module."""

from __future__ import annotations

import re
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
