"""The pods that serve an Istio Gateway, its hosts and credentials (Istio, `pkg/config/analysis/analyzers/gateway`, 1.31)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.config import labels, number, part, rows, text, words
from kubedoctor.replay.mesh.registry import covers

_SECRET: Final = re.compile(r"(kubernetes(-gateway)?://)?((?P<namespace>[^/:]+)/)?(?P<name>[^/:]+)")
"""Credentials that name a Secret (`pilot/pkg/model/credentials/resource.go`); not `builtin://`, `configmap://`, `file-cert:`."""


class SecretName(NamedTuple):
    """The Secret of a credential. `namespace`: empty for that of the gateway's pods."""

    namespace: str
    name: str


class GatewayServer(NamedTuple):
    """A server of a Gateway."""

    path: str
    port: int
    hosts: tuple[str, ...]
    spec: Mapping[str, Any]

    @property
    def written(self) -> str:
        """Its credential as it stands there."""
        return text(part(self.spec, "tls").get("credentialName"))

    @property
    def credential(self) -> SecretName | None:
        """The Secret of its certificate; None where it names none."""
        found = _SECRET.fullmatch(self.written)
        return SecretName(found["namespace"] or "", found["name"]) if found is not None else None


def servers_of(gateway: CustomResource) -> Iterator[GatewayServer]:
    for at, row in rows(gateway.spec, "servers"):
        yield GatewayServer(f"spec.servers[{at}]", number(part(row, "port").get("number")), words(row, "hosts"), row)


def serving_pods(gateway: CustomResource, pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """The pods that its selector picks, of any namespace; a Gateway without a selector is served by all proxies."""
    wanted = labels(gateway.spec, "selector")
    selector = selector_from_map(wanted)
    return tuple(pod for pod in pods if selector.matches(pod.labels)) if wanted else ()


def serves_host(gateway: CustomResource, host: str, namespace: str) -> bool:
    """Whether a server of the Gateway is for a host of a VirtualService of that namespace (`ns/host`, `./host`, `*/host`)."""
    for server in servers_of(gateway):
        for written in server.hosts:
            space, slash, name = written.rpartition("/")
            if slash and space not in ("*", namespace) and not (space == "." and namespace == gateway.namespace):
                continue
            if covers(name, host) or covers(host, name):
                return True
    return False
