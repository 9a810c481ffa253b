"""Probes and hooks that name a port which their container does not have (`pkg/probe/util.go`, v1.37): the API server takes them,
and the kubelet never asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from kubedoctor.replay.validation.fields import Path
from kubedoctor.replay.validation.versions import pod_specs

_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS: Final = ("postStart", "preStop")
_ACTIONS: Final = ("httpGet", "tcpSocket")


class UnnamedPort(msgspec.Struct, frozen=True):
    """path: of the name. container: whose ports have the `names`."""

    path: Path
    port: str
    container: str
    names: tuple[str, ...]


def unnamed_ports(document: Mapping[str, Any]) -> Iterator[UnnamedPort]:
    """In an object with a specification of pods."""
    for base, spec in pod_specs(document):
        for group in ("initContainers", "containers"):
            for place, container in enumerate(_list(spec.get(group))):
                yield from _of_container(container, (*base, group, place))


def _of_container(container: Mapping[str, Any], path: Path) -> Iterator[UnnamedPort]:
    names = tuple(str(port["name"]) for port in _list(container.get("ports")) if port.get("name"))
    for where, handler in _handlers(container):
        for action in _ACTIONS:
            asked = handler.get(action)
            port = asked.get("port") if isinstance(asked, Mapping) else None
            if isinstance(port, str) and port and not port.isdigit() and port not in names:
                yield UnnamedPort((*path, *where, action, "port"), port, str(container.get("name", "")), names)


def _handlers(container: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for kind in _PROBES:
        if isinstance(probe := container.get(kind), Mapping):
            yield (kind,), probe
    lifecycle = container.get("lifecycle")
    for hook in _HOOKS:
        if isinstance(lifecycle, Mapping) and isinstance(handler := lifecycle.get(hook), Mapping):
            yield ("lifecycle", hook), handler


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
