"""The servers that a container's settings name: variables, ConfigMaps of its environment, arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.grammar.redaction import REDACTED, looks_secret
from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.core import ConfigMap
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import all_containers, container_path
from kubedoctor.replay.services.hosts import is_local

_PORTS: Final = {
    "postgres": 5432,
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "sqlserver": 1433,
    "mongodb": 27017,
    "redis": 6379,
    "rediss": 6379,
    "amqp": 5672,
    "amqps": 5671,
    "nats": 4222,
    "http": 80,
    "https": 443,
    "ldap": 389,
    "ldaps": 636,
}
"""Of URLs that name none."""
_HOST: Final = r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?"
_URL: Final = compiled_later(
    rf"(?P<scheme>[a-z][a-z0-9+]*)://(?:[^\s/@]*@)?(?P<host>{_HOST})(?::(?P<port>\d{{2,5}}))?(?![\w:])"
)
_PAIRS: Final = compiled_later(
    rf"(?:^|[;\s])(?:host|server|data source|address)=(?:tcp:)?(?P<host>{_HOST})(?:[,:](?P<port>\d{{2,5}}))?(?=[;\s]|$)",
    re.IGNORECASE,
)
"""As ADO.NET and libpq write it: `Host=db;Port=5432`, `Server=db,1433`."""
_PORT_OF_PAIRS: Final = compiled_later(r"(?:^|[;\s])port=(?P<port>\d{2,5})", re.IGNORECASE)
_JOINED: Final = compiled_later(rf"(?:^|[\s,=])(?P<host>{_HOST}):(?P<port>\d{{2,5}})(?=[\s,/]|$)")
_ALONE: Final = compiled_later(rf"^{_HOST}$")
_OF_A_HOST: Final = compiled_later(r"(?:^|_)(?:HOST|HOSTNAME|SERVER|ADDR|ADDRESS)$", re.IGNORECASE)

_OF_A_USER: Final = compiled_later(r"user(?:_?name)?$|login$", re.IGNORECASE)


class NamedServer(NamedTuple):
    """A server that a setting names. port: 0 where it names none. obj, path: where the setting stands."""

    host: str
    port: int
    setting: str
    obj: KubernetesObject
    path: str


class _Setting(NamedTuple):
    name: str
    value: str
    obj: KubernetesObject
    path: str


def named_servers(pod: Pod, container: str, cluster: Cluster) -> tuple[NamedServer, ...]:
    """Each once, in the order of the settings; those of the pod itself and of Secrets, which are not read, left out."""
    own = next((row for row in all_containers(pod) if row.name == container), None)
    if own is None:
        return ()
    settings = tuple(_settings(pod, own, cluster))
    values = {setting.name: setting.value for setting in settings}
    found: dict[tuple[str, int], NamedServer] = {}
    for setting in settings:
        for host, port in _servers(setting, values):
            if not is_local(host):
                found.setdefault((host, port), NamedServer(host, port, setting.name, setting.obj, setting.path))
    return tuple(found.values())


def hides_servers(pod: Pod, container: str, cluster: Cluster) -> bool:
    """Whether settings that are not read may name other servers: those of Secrets, of ConfigMaps that were not seen, and values
    that are not shown. Passwords and names of users name none."""
    own = next((row for row in all_containers(pod) if row.name == container), None)
    if own is None:
        return False
    for source in own.env_from or ():
        config = source.config_map_ref
        if source.secret_ref is not None or (config is not None and not _seen(pod, config.name, cluster)):
            return True
    for variable in own.env or ():
        source_of = variable.value_from
        key = source_of.config_map_key_ref if source_of is not None else None
        hidden = (
            variable.value == REDACTED
            or (source_of is not None and source_of.secret_key_ref is not None)
            or (key is not None and not _seen(pod, key.name, cluster))
        )
        if hidden and not looks_secret(variable.name) and not _OF_A_USER.search(variable.name):
            return True
    return False


def _seen(pod: Pod, name: str, cluster: Cluster) -> bool:
    return cluster.maybe.get(ConfigMap, pod.namespace, name) is not None


def _settings(pod: Pod, container: Container, cluster: Cluster) -> Iterator[_Setting]:
    base = container_path(pod, container.name)
    for variable in container.env or ():
        key = variable.value_from.config_map_key_ref if variable.value_from is not None else None
        if variable.value:
            yield _Setting(variable.name, variable.value, pod, f"{base}.env[name={variable.name}].value")
        elif key is not None and key.name:
            yield from _of_config(pod, key.name, {key.key: variable.name}, cluster)
    for source in container.env_from or ():
        if source.config_map_ref is not None and source.config_map_ref.name:
            yield from _of_config(pod, source.config_map_ref.name, None, cluster, source.prefix)
    for field in ("command", "args"):
        for index, word in enumerate(getattr(container, field) or ()):
            yield _Setting(word.partition("=")[0] if "=" in word else field, word, pod, f"{base}.{field}[{index}]")


def _of_config(
    pod: Pod, name: str, names: dict[str, str] | None, cluster: Cluster, prefix: str = ""
) -> Iterator[_Setting]:
    """names: of the variables, by key; None for all keys."""
    config = cluster.maybe.get(ConfigMap, pod.namespace, name)
    for key, value in sorted((config.data or {}).items()) if config is not None else ():
        if config is not None and value and (names is None or key in names):
            yield _Setting(names[key] if names is not None else f"{prefix}{key}", value, config, f"data[{key}]")


def _servers(setting: _Setting, values: dict[str, str]) -> Iterator[tuple[str, int]]:
    value = setting.value
    urls = list(_URL.finditer(value))
    for match in urls:
        yield match["host"], int(match["port"] or 0) or _PORTS.get(match["scheme"].partition("+")[0], 0)
    if urls:
        return
    if (pair := _PAIRS.search(value)) is not None:
        apart = _PORT_OF_PAIRS.search(value)
        yield pair["host"], int(pair["port"] or (apart["port"] if apart is not None else 0))
        return
    joined = list(_JOINED.finditer(value))
    for match in joined:
        yield match["host"], int(match["port"])
    if not joined and _ALONE.search(value) and (place := _OF_A_HOST.search(setting.name)) is not None:
        port = values.get(f"{setting.name[: place.start()]}_PORT", "").strip()
        yield value, int(port) if port.isdigit() else 0
