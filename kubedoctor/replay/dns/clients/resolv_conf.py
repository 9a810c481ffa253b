"""The resolv.conf of a pod (`pkg/kubelet/network/dns/dns.go`), and what the API server refuses (`pkg/apis/core/validation`),
v1.37."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.pods import Pod

MOST_SERVERS: Final = 3
MOST_SEARCHES: Final = 32
LONGEST_SEARCH: Final = 253
LONGEST_SEARCHES: Final = 2048
CLUSTER_OPTIONS: Final = ("ndots:5",)
_CLUSTER, _HOST, _NONE = "Cluster", "Host", "None"


class ResolvConf(msgspec.Struct, frozen=True):
    """`left_out`: the kubelet's warnings about what it omits. The kubelet writes the options in any order."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def option(self, name: str) -> str | None:
        """The value of an option, empty where it has none; None where it is not set."""
        for option in self.options:
            key, _, value = option.partition(":")
            if key == name:
                return value
        return None


class KubeletDns(msgspec.Struct, frozen=True):
    """What a kubelet is configured with. node_file: the node's resolv.conf, None where the kubelet reads none."""

    servers: tuple[str, ...] = ()
    domain: str = "cluster.local"
    node_file: str | None = ""
    node_addresses: tuple[str, ...] = ()


def parse_resolv_conf(text: str) -> ResolvConf:
    """As the kubelet reads a node's file: the last `search` counts, dots at the end go, `domain` is not read."""
    servers: list[str] = []
    searches: list[str] = []
    options: dict[str, str] = {}
    for line in text.split("\n"):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "nameserver" and len(words) > 1:
            servers.append(words[1])
        elif words[0] == "search":
            searches = [word.removesuffix(".") for word in words[1:] if word != "."]
        elif words[0] == "options":
            options.update((word.partition(":")[0], word) for word in words[1:])
    return ResolvConf(tuple(servers), tuple(searches), tuple(options.values()))


def lacks_server(text: str) -> bool:
    """Whether a line names no server: the kubelet does not read such a file, and starts no pod that needs it."""
    return any(line.split() == ["nameserver"] for line in text.split("\n"))


def resolv_conf_of(pod: Pod, kubelet: KubeletDns) -> ResolvConf:
    """The file that the kubelet writes for a pod."""
    base, events = _base(pod, kubelet)
    config = pod.spec.dns_config
    if config is not None:
        base = ResolvConf(
            _unique((*base.servers, *(config.nameservers or ()))),
            _unique((*base.searches, *(config.searches or ()))),
            _merged(base.options, ((option.name, option.value or "") for option in config.options or ())),
        )
    return _within_limits(base, events)


def falls_back(pod: Pod, kubelet: KubeletDns) -> bool:
    """Whether a pod gets the DNS of its node in place of the cluster's, because the kubelet knows no server."""
    return policy_of(pod) == _CLUSTER and not kubelet.servers


def policy_of(pod: Pod) -> str:
    """`Cluster`, `Host` or `None`: a pod on its node's network has to ask for the cluster's DNS by name."""
    policy = pod.spec.dns_policy or "ClusterFirst"
    if policy == "None":
        return _NONE
    if policy == "Default" or (policy == "ClusterFirst" and pod.spec.host_network):
        return _HOST
    return _CLUSTER


def _base(pod: Pod, kubelet: KubeletDns) -> tuple[ResolvConf, tuple[str, ...]]:
    host = parse_resolv_conf(kubelet.node_file or "")
    policy = policy_of(pod)
    if policy == _NONE:
        return ResolvConf(), ()
    if policy == _CLUSTER and kubelet.servers:
        own: tuple[str, ...] = ()
        if kubelet.domain:
            own = (f"{pod.namespace}.svc.{kubelet.domain}", f"svc.{kubelet.domain}", kubelet.domain)
        searches = _unique((*own, *host.searches)) if own else host.searches
        return ResolvConf(kubelet.servers, searches, CLUSTER_OPTIONS), ()
    events: tuple[str, ...] = ()
    if policy == _CLUSTER:
        missing = (
            'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. '
            'Falling back to "Default" policy.'
        )
        name = f"{pod.name}_{pod.namespace}({pod.metadata.uid})"
        events = (f"MissingClusterDNS {missing}", f'MissingClusterDNS pod: "{name}". {missing}')
    if kubelet.node_file is None:
        servers = tuple("::1" if ":" in address else "127.0.0.1" for address in kubelet.node_addresses)
        return ResolvConf(servers or ("127.0.0.1",), (".",), host.options), events
    return host, events


def _within_limits(conf: ResolvConf, events: tuple[str, ...]) -> ResolvConf:
    servers = conf.servers[:MOST_SERVERS]
    if servers != conf.servers:
        line = " ".join(servers)
        events = (
            *events,
            "DNSConfigForming Nameserver limits were exceeded, some nameservers have been omitted, "
            f"the applied nameserver line is: {line}",
        )
    searches = [search for search in conf.searches[:MOST_SEARCHES] if len(search) <= LONGEST_SEARCH]
    while len(" ".join(searches)) > LONGEST_SEARCHES:
        searches.pop()
    if tuple(searches) != conf.searches:
        line = " ".join(searches)
        events = (
            *events,
            "DNSConfigForming Search Line limits were exceeded, some search paths have been omitted, "
            f"the applied search line is: {line}",
        )
    return ResolvConf(servers, tuple(searches), conf.options, events)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _merged(options: Sequence[str], more: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    merged = {option.partition(":")[0]: option.partition(":")[2] for option in options}
    merged.update(more)
    return tuple(f"{name}:{value}" if value else name for name, value in merged.items())


def dns_refusals(pod: Pod) -> Iterator[str]:
    """What the API server says against a pod's DNS fields; nothing where it accepts them."""
    config, policy = pod.spec.dns_config, pod.spec.dns_policy
    if policy not in ("", "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"):
        yield f'spec.dnsPolicy: Unsupported value: "{policy}"'
    if policy == "None" and config is None:
        yield "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"
    if config is None:
        return
    servers, searches = config.nameservers or (), config.searches or ()
    if policy == "None" and not servers:
        yield (
            "spec.dnsConfig.nameservers: Required value: "
            "must provide at least one DNS nameserver when `dnsPolicy` is None"
        )
    if len(servers) > MOST_SERVERS:
        shown = msgspec.json.encode(list(servers)).decode()
        yield f"spec.dnsConfig.nameservers: Invalid value: {shown}: must not have more than 3 nameservers"
    for place, server in enumerate(servers):
        if not _is_address(server):
            yield f'spec.dnsConfig.nameservers[{place}]: Invalid value: "{server}": must be a valid IP address'
    if len(searches) > MOST_SEARCHES:
        yield f"spec.dnsConfig.searches: Invalid value: must not have more than {MOST_SEARCHES} search paths"
    if len(" ".join(searches)) > LONGEST_SEARCHES:
        yield (
            "spec.dnsConfig.searches: Invalid value: "
            f"must not have more than {LONGEST_SEARCHES} characters (including spaces) in the search list"
        )
    for place, option in enumerate(config.options or ()):
        if not option.name:
            yield f"spec.dnsConfig.options[{place}]: Required value: must not be empty"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
