"""What the checks share: the containers of a pod in the order of the checks, and the words of their answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from kubedoctor.cluster.kinds.containers import Container, SecurityContext
from kubedoctor.cluster.kinds.pods import PodSpec


class JudgedPod(msgspec.Struct, frozen=True):
    """The pod that is judged."""

    spec: PodSpec
    annotations: Mapping[str, str]

    @property
    def containers(self) -> Iterator[Container]:
        """Init containers, containers, ephemeral containers: `policy/visitor.go`."""
        yield from self.spec.init_containers or ()
        yield from self.spec.containers
        yield from self.spec.ephemeral_containers or ()

    @property
    def contexts(self) -> Iterator[tuple[str, SecurityContext]]:
        """The containers that have a security context."""
        for container in self.containers:
            if container.security_context is not None:
                yield container.name, container.security_context

    @property
    def is_windows(self) -> bool:
        return self.spec.os is not None and self.spec.os.name == "windows"

    @property
    def own_users(self) -> bool:
        """It runs in a user namespace of its own."""
        return self.spec.host_users is False


def quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def plural(word: str, number: int, many: str = "") -> str:
    return word if number == 1 else many or f"{word}s"


def of_containers(names: Sequence[str]) -> str:
    """`container "a"`, `containers "a", "b"`."""
    return f"{plural('container', len(names))} {quoted(names)}"


def setters(pod: bool, containers: Sequence[str]) -> str:
    """Who sets a value: `pod and container "a"`; empty where none does."""
    return " and ".join((["pod"] if pod else []) + ([of_containers(containers)] if containers else []))
