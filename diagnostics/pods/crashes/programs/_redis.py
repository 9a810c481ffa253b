"""The Redis server that a program uses."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster import Cluster, Pod, Service
from kubedoctor.findings import Ref, ref

_IMAGES: Final = re.compile(r"(?:^|/)[\w.-]*(?:redis|valkey|keydb|dragonfly)[\w.-]*(?:[:@]|$)")


def redis_of(pod: Pod, cluster: Cluster) -> tuple[Ref, ...]:
    """The Services of Redis that the program's settings name; without one, the only one of its namespace."""
    servers = [
        service for service in cluster.maybe.all(Service, pod.namespace) if _leads_to_redis(service, pod, cluster)
    ]
    values = [variable.value for part in pod.spec.containers for variable in part.env or () if variable.value]
    values += [word for part in pod.spec.containers for word in (*(part.command or ()), *(part.args or ()))]
    named = [
        service
        for service in servers
        if any(re.search(rf"(?<![\w.-]){re.escape(service.name)}(?![\w-])", value) for value in values)
    ]
    chosen = named or (servers if len(servers) == 1 else [])
    return tuple(ref(service) for service in chosen)


def _leads_to_redis(service: Service, client: Pod, cluster: Cluster) -> bool:
    selector = service.spec.selector or {}
    return bool(selector) and any(
        selector.items() <= (pod.metadata.labels or {}).items()
        and any(_IMAGES.search(part.image or "") for part in pod.spec.containers)
        for pod in cluster.maybe.all(Pod, client.namespace)
        if pod.name != client.name
    )
