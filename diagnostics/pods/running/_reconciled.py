"""The objects that a controller fails at, as the libraries of controllers name them in each line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, custom_kind_name
from kubedoctor.findings import Ref
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import LogCause

MOST: Final = 50
_OF_THE_OBJECT: Final = frozenset(
    {
        *(LogFault.NOT_AUTHORIZED, LogFault.CREDENTIALS, LogFault.DEPENDENCY_SCHEMA),
        *(LogFault.BAD_SETTING, LogFault.LICENCE, LogFault.MISSING_FILE),
    }
)
"""The object itself decides these; the network and the rights of the controller are no matter of one object."""


def _field(name: str) -> re.Pattern[str]:
    return re.compile(rf"[\"']?\b{name}[\"']?[:=] ?[\"']?(?P<value>[\w.-]+)")


_KIND, _GROUP = _field("controllerKind"), _field("controllerGroup")
_NAMESPACE, _NAME = _field("namespace"), re.compile(r"(?<!controller)[\"' ,{]name[\"']?[:=] ?[\"']?(?P<value>[\w.-]+)")


class Reconciled(NamedTuple):
    """named: what the lines with the failure name and is known here. blamed: the only one, where it decides the failure."""

    named: tuple[Ref, ...]
    blamed: tuple[Ref, ...]


def reconciled(lines: Sequence[str], cause: LogCause, cluster: Cluster) -> Reconciled:
    """The objects whose handling fails."""
    same = [line for line in lines if cause.pattern and cause.pattern in line.lower()]
    names = dict.fromkeys(name for line in same if (name := _named(line)) is not None)
    named = tuple(name for name in names if cluster.snapshot.get(name) is not None)[:MOST]
    of_one = len(names) == 1 and all(_named(line) is not None for line in same)
    return Reconciled(named, named if of_one and cause.fault in _OF_THE_OBJECT else ())


def _named(line: str) -> Ref | None:
    """As controller-runtime writes it (`controllerKind`, `controllerGroup`, `namespace`, `name`)."""
    kind, group, name = (pattern.search(line) for pattern in (_KIND, _GROUP, _NAME))
    if kind is None or group is None or name is None:
        return None
    namespace = _NAMESPACE.search(line)
    return Ref(custom_kind_name(kind["value"], group["value"]), namespace["value"] if namespace else "", name["value"])
