"""What CoreDNS refuses to start with: the checks of its server and of the plugins that clusters use.

Sources: `core/dnsserver/register.go` and `plugin/*/setup.go`, CoreDNS 1.14. What other plugins check is not replayed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.durations import DurationError, parse_duration
from kubedoctor.cluster.grammar.patterns import written_pattern
from kubedoctor.cluster.grammar.selectors import SelectorError, parse_label_selector
from kubedoctor.replay.dns.coredns.access import AccessProblem, check_rule
from kubedoctor.replay.dns.coredns.syntax import CorefileProblem, PluginConfig, ServerBlock, server_blocks

ZONE_PORT: Final = 53
MOST_UPSTREAMS: Final = 15
_KUBERNETES_OPTIONS: Final = frozenset(
    "endpoint tls namespaces namespace_labels labels pods endpoint_pod_names ttl noendpoints fallthrough ignore kubeconfig "  # noqa: SIM905  # words read better as text
    "multicluster zonal startup_timeout apiserver_qps apiserver_burst apiserver_max_inflight".split()
)
_FORWARD_OPTIONS: Final = frozenset(
    "except max_fails health_check force_tcp prefer_udp expire policy tls tls_servername max_concurrent next "  # noqa: SIM905  # words read better as text
    "failfast_all_unhealthy_upstreams failover max_connect_attempts max_age max_idle_conns".split()
)
_CACHE_OPTIONS: Final = frozenset(("success", "denial", "prefetch", "serve_stale", "servfail", "disable", "keepttl"))


class LoadingContext(msgspec.Struct, frozen=True):
    """What decides beside the Corefile.

    files: by path, as the Corefile names them. in_pod: whether the API server's address is in the environment.
    port: of server blocks that name none. taken: ports of this machine that other programs listen on.
    resolves: whether a host name can be looked up at the start.
    """

    files: Mapping[str, str] = msgspec.field(default_factory=dict)
    in_pod: bool = True
    port: int = ZONE_PORT
    taken: frozenset[int] = frozenset()
    resolves: bool = False


def loaded(text: str, around: LoadingContext | None = None) -> tuple[ServerBlock, ...]:
    """The server blocks of a Corefile that CoreDNS runs with; raises CorefileProblem with the message of its log."""
    around = around or LoadingContext()
    blocks = server_blocks(text, around.files)
    _check_zones(blocks, around)
    for block in blocks:
        for name, check in _CHECKS.items():
            if configs := block.all(name):
                check(configs, around)
        _check_loop(block, around)
    return blocks


def split_zone(key: str, default: int = ZONE_PORT) -> tuple[str, str]:
    """Zone, with its final dot, and port of a block's key: `example.com:1053`, `dns://.`, `10.0.0.0/24`."""
    rest = key.partition("://")[2] or key if "://" in key else key
    name, colon, port = rest.rpartition(":")
    if not colon or not port.isdigit():
        name, port = rest, str(default)
    if "/" in name:
        name = _reverse_zone(name)
    name = name.lower()
    return (name if name.endswith(".") else f"{name}."), port


def _reverse_zone(cidr: str) -> str:
    try:
        network = ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return cidr
    labels = str(network.network_address.reverse_pointer).split(".")
    bits = 8 if network.version == 4 else 4
    kept = network.prefixlen // bits
    return ".".join(labels[network.max_prefixlen // bits - kept :])


def _check_zones(blocks: tuple[ServerBlock, ...], around: LoadingContext) -> None:
    seen: set[tuple[str, str]] = set()
    for block in blocks:
        binds = tuple(word for config in block.all("bind") for word in config.head)
        for key in block.keys:
            zone, port = split_zone(key, around.port)
            if int(port) > 65535:
                raise CorefileProblem(f"address {port}: invalid port")
            if (zone, port) in seen and not binds:
                raise CorefileProblem(f"cannot serve dns://{zone}:{port} - it is already defined")
            seen.add((zone, port))
    for _, port in seen:
        if int(port) in around.taken:
            raise CorefileProblem(f"Listen: listen tcp :{port}: bind: address already in use")


def _wrong_count(config: PluginConfig, line: int, after: str) -> CorefileProblem:
    return CorefileProblem(
        f"plugin/{config.plugin}: {config.where[line]} - Error during parsing: "
        f"Wrong argument count or unexpected line ending after '{after}'"
    )


def _unknown(config: PluginConfig, line: int, what: str) -> CorefileProblem:
    return CorefileProblem(f"plugin/{config.plugin}: {config.where[line]} - Error during parsing: {what}")


def _options(config: PluginConfig) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The lines of a plugin's block and of the blocks in it, with their places."""
    for place, line in enumerate(config.lines[1:], 1):
        words = tuple(word for word in line if word not in ("{", "}"))
        if words:
            yield place, words


def _once(configs: tuple[PluginConfig, ...]) -> None:
    if len(configs) > 1:
        raise CorefileProblem(f"plugin/{configs[0].plugin}: this plugin can only be used once per Server Block")


def _kubernetes(configs: tuple[PluginConfig, ...], around: LoadingContext) -> None:
    _once(configs)
    config = configs[0]
    given = {words[0] for _, words in _options(config)}
    for place, words in _options(config):
        option, values = words[0], words[1:]
        if option not in _KUBERNETES_OPTIONS:
            raise _unknown(config, place, f"unknown property '{option}'")
        if option == "pods":
            if len(values) != 1:
                raise _wrong_count(config, place, words[-1])
            if values[0] not in ("disabled", "verified", "insecure"):
                raise CorefileProblem(
                    f"plugin/kubernetes: wrong value for pods: {values[0]},  "
                    "must be one of: disabled, verified, insecure"
                )
        elif option in ("labels", "namespace_labels"):
            _check_selector(config, place, words)
        elif option == "ttl":
            _check_ttl(config, place, words)
        elif option == "ignore" and values != ("empty_service",):
            raise _unknown(config, place, f"unable to parse ignore value: '{' '.join(values)}'")
        elif option in ("namespaces", "endpoint", "kubeconfig") and not values:
            raise _wrong_count(config, place, option)
    if "namespaces" in given and "namespace_labels" in given:
        raise _unknown(config, len(config.where) - 1, "namespaces and namespace_labels cannot both be set")
    for _, words in _options(config):
        if words[0] == "kubeconfig" and words[1] not in around.files:
            raise CorefileProblem(f"plugin/kubernetes: stat {words[1]}: no such file or directory")
    if not around.in_pod and not given & {"endpoint", "kubeconfig"}:
        raise CorefileProblem(
            "plugin/kubernetes: unable to load in-cluster configuration, "
            "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined"
        )


def _check_selector(config: PluginConfig, place: int, words: tuple[str, ...]) -> None:
    if len(words) < 2:
        raise _wrong_count(config, place, words[0])
    text = " ".join(words[1:])
    try:
        parse_label_selector(text)
    except SelectorError as error:
        raise CorefileProblem(f"plugin/kubernetes: unable to parse label selector value: '{text}': {error}") from None


def _check_ttl(config: PluginConfig, place: int, words: tuple[str, ...]) -> None:
    if len(words) < 2:
        raise _wrong_count(config, place, words[0])
    if not re.fullmatch(r"\d+", words[1]):
        raise CorefileProblem(f'plugin/{config.plugin}: strconv.Atoi: parsing "{words[1]}": invalid syntax')
    if int(words[1]) > 3600:
        raise _unknown(config, place, f"ttl must be in range [0, 3600]: {words[1]}")


def _forward(configs: tuple[PluginConfig, ...], around: LoadingContext) -> None:
    for config in configs:
        head = config.head
        if len(head) < 2:
            raise _wrong_count(config, 0, head[-1] if head else "forward")
        upstreams = head[1:]
        for upstream in upstreams:
            _check_upstream(upstream, around)
        if len(upstreams) > MOST_UPSTREAMS:
            raise CorefileProblem(f"plugin/forward: more than {MOST_UPSTREAMS} TOs configured: {len(upstreams)}")
        for place, words in _options(config):
            if words[0] not in _FORWARD_OPTIONS:
                raise _unknown(config, place, f"unknown property '{words[0]}'")
            if words[0] in ("except", "policy", "max_fails", "expire", "max_concurrent") and len(words) < 2:
                raise _wrong_count(config, place, words[0])


def _check_upstream(upstream: str, around: LoadingContext) -> None:
    if upstream == "":
        raise CorefileProblem('plugin/forward: invalid address: ""')
    if upstream.startswith("/") or upstream in around.files:
        return  # A resolv.conf.
    host = upstream.partition("://")[2] or upstream
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if not around.resolves:
            raise CorefileProblem(f'plugin/forward: failed to resolve "{host}"') from None


def _cache(configs: tuple[PluginConfig, ...], around: LoadingContext) -> None:
    _once(configs)
    config = configs[0]
    for place, words in _options(config):
        if words[0] not in _CACHE_OPTIONS:
            raise _wrong_count(config, place, words[0])
        if words[0] in ("success", "denial") and (len(words) < 2 or not words[1].isdigit()):
            raise _wrong_count(config, place, words[-1])


def _reload(configs: tuple[PluginConfig, ...], around: LoadingContext) -> None:
    head = configs[0].head
    if not head:
        return
    try:
        interval = parse_duration(head[0])
    except DurationError:
        raise CorefileProblem(f'plugin/reload: time: invalid duration "{head[0]}"') from None
    if interval.total_seconds() < 2:
        raise CorefileProblem("plugin/reload: interval value must be greater or equal to 2s")


def _rewrite(configs: tuple[PluginConfig, ...], around: LoadingContext) -> None:
    """Too few words are taken for a rule that does nothing."""
    for config in configs:
        for line in config.lines:
            words = [word for word in line if word not in ("{", "}", "rewrite", "stop", "continue")]
            if len(words) > 2 and words[1] == "regex":
                try:
                    written_pattern(words[2])
                except re.error:
                    raise CorefileProblem(f"plugin/rewrite: invalid regex matching pattern: {words[2]}") from None


def _acl(configs: tuple[PluginConfig, ...], around: LoadingContext) -> None:
    for config in configs:
        for place, words in _options(config):
            try:
                check_rule(words)
            except AccessProblem as problem:
                raise _unknown(config, place, str(problem)) from None


def _check_loop(block: ServerBlock, around: LoadingContext) -> None:
    """A server that forwards to its own port of this machine sees its own probe."""
    if not block.all("loop"):
        return
    own = {split_zone(key, around.port)[1] for key in block.keys}
    for config in block.all("forward"):
        for upstream in config.head[1:]:
            host, _, port = upstream.partition(":")
            if host.startswith("127.") and (port or str(ZONE_PORT)) in own:
                zone = split_zone(block.keys[0], around.port)[0]
                raise CorefileProblem(
                    f'plugin/loop: Loop ({host} -> :{port or ZONE_PORT}) detected for zone "{zone}", '
                    "see https://coredns.io/plugins/loop#troubleshooting"
                )


_CHECKS: Final[Mapping[str, Callable[[tuple[PluginConfig, ...], LoadingContext], None]]] = {
    "kubernetes": _kubernetes,
    "forward": _forward,
    "cache": _cache,
    "reload": _reload,
    "rewrite": _rewrite,
    "acl": _acl,
}
