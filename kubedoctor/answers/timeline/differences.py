"""The fields in which two pod templates differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.kinds.pods import PodTemplate

MOST_LETTERS: Final = 60
_IGNORED: Final = ("metadata.labels.pod-template-hash", "metadata.labels.controller-revision-hash")
_KEYS: Final = ("name", "mountPath", "containerPort", "key", "ip")
"""Fields that identify an element of a list, the first that all elements have."""
_WHOLE: Final = ("Probe", "lifecycle")
"""Parts that are added and removed as one; only changes inside of them are named one by one."""
_FIRST: Final = (".image", ".command", ".args", ".env", ".envFrom", ".resources", "Probe", ".volume", "spec.")
"""Parts of a path, those that break a workload most often first."""


class FieldChange(msgspec.Struct, frozen=True):
    """A field that differs. `path` is of the template (`spec.containers[app].image`); before or after is None where the
    field was added or removed."""

    path: str
    before: Any = None
    after: Any = None

    @property
    def container(self) -> str:
        """The container whose field it is; empty for fields of the pod."""
        head, _, rest = self.path.partition("ontainers[")
        return rest.partition("]")[0] if head.endswith(("spec.c", "spec.initC")) else ""

    @property
    def field(self) -> str:
        """The path as people say it: without the template, the container and `resources`."""
        path = self.path.partition("]")[2].lstrip(".") if self.container else self.path.removeprefix("spec.")
        return path.removeprefix("resources.") or "container"

    @property
    def text(self) -> str:
        """`image web:1 → web:2`, `env[DEBUG] added (1)`, `limits.memory removed (was 1Gi)`."""
        if self.before is None:
            return f"{self.field} added{_in_brackets(self.after)}"
        if self.after is None:
            return f"{self.field} removed{_in_brackets(self.before, 'was ')}"
        before, after = _short(self.before), _short(self.after)
        if self.field == "image":
            before, after = _without_repository(before, after)
        return f"{self.field} {before} → {after}" if before and after and before != after else f"{self.field} changed"


def differences(before: PodTemplate, after: PodTemplate) -> tuple[FieldChange, ...]:
    """What differs, the fields that break a workload most often first."""
    changes = _differences(msgspec.to_builtins(before), msgspec.to_builtins(after), "")
    return tuple(sorted((change for change in changes if change.path not in _IGNORED), key=_rank))


def _rank(change: FieldChange) -> tuple[int, str]:
    for number, part in enumerate(_FIRST):
        if part in change.path:
            return number, change.path
    return len(_FIRST), change.path


def _differences(before: Any, after: Any, path: str) -> Iterator[FieldChange]:
    if before == after:
        return
    if _is_named(before) and _is_named(after):
        before, after, form = _by_key(before), _by_key(after), f"{path}[{{}}]"
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        form = f"{path}.{{}}" if path else "{}"
    else:
        yield FieldChange(path, before, after)
        return
    for key in dict.fromkeys((*before, *after)):
        below = form.format(key)
        old, new = _set(before.get(key)), _set(after.get(key))
        if _is_variable(old) and _is_variable(new):
            old, new = old["value"], new["value"]
        elif isinstance(old or new, Mapping) and not below.endswith(("]", *_WHOLE)):
            old, new = old or {}, new or {}
        elif _is_named(old or new):
            old, new = old or [], new or []
        yield from _differences(old, new, below)


_NOTHING: Final[Sequence[Any]] = (None, "", [], {}, ())
"""What a field that is not set may look like."""


def _set(value: Any) -> Any:
    """The value without fields that are not set; None where nothing is."""
    if isinstance(value, Mapping):
        value = {key: item for key, item in value.items() if item not in _NOTHING}
    return None if value in _NOTHING else value


def _is_variable(value: Any) -> bool:
    """An environment variable with a plain value."""
    return isinstance(value, Mapping) and set(value) == {"name", "value"}


def _is_named(value: Any) -> bool:
    """A list of objects; an empty list beside such a list is compared as one."""
    return isinstance(value, list | tuple) and all(isinstance(item, Mapping) for item in value)


def _by_key(items: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    key = next((name for name in _KEYS if items and all(name in item for item in items)), None)
    if key is None:
        return {str(number): item for number, item in enumerate(items)}
    return {str(item[key]): item for item in items}


def _in_brackets(value: Any, before: str = "") -> str:
    text = _short(value)
    return f" ({before}{text})" if text else ""


def _without_repository(before: str, after: str) -> tuple[str, str]:
    """Tags or digests alone, where two images are of one repository."""
    (first, _, old), (second, _, new) = before.rpartition(":"), after.rpartition(":")
    return (old, new) if first == second and "/" not in f"{old}{new}" else (before, after)


def _short(value: Any) -> str:
    """A value on one line; empty where it is too long to read in passing."""
    if isinstance(value, Mapping):
        value = value.get("value", value.get("image", ""))
    if isinstance(value, list | tuple):
        value = " ".join(str(item) for item in value) if all(isinstance(item, str) for item in value) else ""
    text = visible(str(value).lower() if isinstance(value, bool) else str(value))
    return text if len(text) <= MOST_LETTERS else ""
