"""The settings of a project: `.kubedoctor.yaml`, found from the working directory upwards."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from kubedoctor.problems import UsageProblem

FILE_NAME: Final = ".kubedoctor.yaml"
_MOST_BYTES: Final = 1 << 20
_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
"""Days stay text: one that does not exist must not cost the other entries."""


class Settings(msgspec.Struct, frozen=True):
    """What the file says, as plain data. name: its path from the working directory; empty without a file. problem: why
    it cannot be used, a clause."""

    name: str = ""
    data: Any = None
    problem: str = ""


NO_SETTINGS: Final = Settings()


def read_settings(path: str | None = None) -> Settings:
    """The file of that path, else the nearest one; none is not a problem. Raises UsageProblem for a `path` that cannot be
    used. Any other file that cannot be used must not stop a diagnosis: it is said."""
    if path is not None:
        settings = _read(Path(path), path)
        if settings.problem:
            raise UsageProblem(f"--config {path}: {settings.problem}", "It is YAML with a list `suppressions`")
        return settings
    nearest = _nearest()
    return _read(nearest, os.path.relpath(nearest)) if nearest is not None else Settings()


def today() -> date:
    """The day in UTC, for files that do not tell when they were written."""
    return datetime.now(UTC).date()


def _nearest() -> Path | None:
    try:
        here = Path.cwd()
    except OSError:  # the working directory was deleted
        return None
    return next((file for place in (here, *here.parents) if (file := place / FILE_NAME).is_file()), None)


def _read(path: Path, name: str) -> Settings:
    try:
        if not path.is_file():
            return Settings(name, problem="it is not a file" if path.exists() else "there is no such file")
        with path.open("rb") as file:
            body = file.read(_MOST_BYTES + 1)
    except OSError as error:
        return Settings(name, problem=f"it cannot be read: {error.strerror or error}")
    if len(body) > _MOST_BYTES:
        return Settings(name, problem="it is larger than 1Mi")
    import yaml  # few projects have the file

    parent: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [rule for rule in rules if rule[0] != _TIMESTAMP]
        for first, rules in parent.yaml_implicit_resolvers.items()
    }
    loader: Any = type("Loader", (parent,), {"yaml_implicit_resolvers": resolvers})
    loader.add_constructor(_TIMESTAMP, parent.construct_yaml_str)
    try:
        return Settings(name, yaml.load(body, Loader=loader))
    except Exception as error:  # noqa: BLE001  # constructors of tags raise anything: `!!bool x` a KeyError
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        return Settings(name, problem=f"it is not YAML{where}")
