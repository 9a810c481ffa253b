"""A name in a pod as a sheet: every query, who answers it, and what programs of each resolver get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.answers.reach.attempts import DNS_PORT
from kubedoctor.answers.reach.connections import targets_behind
from kubedoctor.answers.reach.judging import allowing_fixes, judgement
from kubedoctor.answers.reach.way import ReachSource, source_of
from kubedoctor.answers.resolve.lookup_setting import LookupSetting, lookup_setting
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Link, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.core import Namespace, Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.commands import kubectl
from kubedoctor.findings.model import Command, Fix
from kubedoctor.problems import NoSuchObject, UsageProblem
from kubedoctor.replay.dns.clients.resolv_conf import policy_of
from kubedoctor.replay.dns.clients.walks import GLIBC, GO, MUSL, RESOLVERS, DnsStep, NameLookup, look_up
from kubedoctor.replay.dns.coredns.access import ACL
from kubedoctor.replay.dns.coredns.records import NOERROR, NXDOMAIN, SERVFAIL, UNKNOWN, DnsReply
from kubedoctor.replay.network import ConnectionVerdict
from kubedoctor.replay.network.parties import parse_address
from kubedoctor.replay.services.hosts import ServiceName, service_named, service_with_address

_OUTCOMES: Final = {
    NXDOMAIN: "no such name (NXDOMAIN)",
    "NODATA": "the name has no address (NODATA)",
    SERVFAIL: "the server fails (SERVFAIL)",
    "TIMEOUT": "no server answers (timeout)",
    "INVALID": "not a valid name",
    UNKNOWN: "answered outside of the cluster",
}
_WASTEFUL: Final = 4
"""So many queries before the one that counts are worth a word."""


def resolve_sheet(subject: Ref, name: str, cluster: Cluster) -> Sheet:
    """The whole answer. Raises UsageProblem for what is no name."""
    _check(name)
    source = source_of(subject, cluster)
    pod = source.pod
    if pod is None:
        raise NoSuchObject(f"{subject.title} has no pods", "", ())
    setting = lookup_setting(pod, name, cluster)
    hosts = _hosts(pod)
    found = {resolver: look_up(resolver, name, setting.conf, setting.servers(), hosts) for resolver in RESOLVERS}
    conclusion, verdict = _verdict(name, setting, found, cluster)
    usual = found[GLIBC]
    return Sheet(
        title=f"{subject.title}: {name}",
        verdict=verdict,
        conclusion=conclusion,
        facts=tuple(_facts(pod, name, setting, found)),
        tables=_tables(usual, "what the DNS servers would answer" if setting.by_cluster and setting.blocked else ""),
        chain=tuple(_chain(pod, setting)),
        fixes=(*_allowing(source, setting, cluster), *_fixes(pod, name, setting, usual, cluster)),
        next=(
            Command(
                kubectl("exec", pod.name, "--", "cat", "/etc/resolv.conf", namespace=pod.namespace), "the file as it is"
            ),
        ),
        gaps=tuple(_gaps(setting)),
        data=_data(pod, name, setting, found, conclusion),
    )


def _check(name: str) -> None:
    if not name.strip():
        raise UsageProblem("the name is empty", "Write the name as the program has it: db, db.data, api.example.com.")
    if parse_address(name) is None and any(letter in name for letter in "/:@"):
        host = name.rpartition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
        raise UsageProblem(f"{name!r} is not a name", f"Write the name alone{f': {host}' if host else ''}.")


def _hosts(pod: Pod) -> Mapping[str, tuple[str, ...]]:
    """Of /etc/hosts: what the kubelet writes. A pod on its node's network has the node's file, of which only this is sure."""
    rows: dict[str, tuple[str, ...]] = {"localhost": ("127.0.0.1", "::1")}
    if pod.status.pod_ip and not pod.spec.host_network:
        rows[(pod.spec.hostname or pod.name).lower()] = (pod.status.pod_ip,)
    for alias in pod.spec.host_aliases or ():
        for host in alias.hostnames or ():
            rows[host.lower()] = (alias.ip,)
    return rows


def _verdict(
    name: str, setting: LookupSetting, found: Mapping[str, NameLookup], cluster: Cluster
) -> tuple[Conclusion, str]:
    usual = found[GLIBC]
    if usual.addresses and not usual.steps:
        return Conclusion.WELL, f"is {listed(usual.addresses, 3)} without a query"
    if usual.failure == "INVALID":
        return Conclusion.TROUBLE, "does not resolve: not a valid name"
    if setting.by_cluster and setting.blocked:
        return Conclusion.TROUBLE, "does not resolve: network policies block the queries to the cluster's DNS"
    if setting.down and (setting.by_cluster or setting.dns is None):
        return Conclusion.TROUBLE, f"does not resolve: {setting.down}"
    if setting.by_cluster and setting.problem:
        return Conclusion.TROUBLE, f"does not resolve: CoreDNS does not load its Corefile: {setting.problem}"
    if setting.not_seen:
        return Conclusion.UNKNOWN, f"not known: {setting.not_seen}"
    decided = usual.steps[-1].reply if usual.steps else None
    failures = {lookup.failure for lookup in found.values()}
    if decided is not None and decided.by == ACL:
        return (
            Conclusion.TROUBLE,
            f"does not resolve: CoreDNS does not let this pod ask: plugin acl gives {_refusal(decided)}",
        )
    if decided is not None and decided.rcode == UNKNOWN and decided.by.startswith(ACL):
        return (
            Conclusion.UNKNOWN,
            "not known: CoreDNS decides by the address that asks (plugin acl), which was not seen",
        )
    if UNKNOWN in failures:
        meant = _meant(name, setting, cluster)
        if meant is not None and not usual.steps[-1].question.name.endswith(f".{setting.domain}.") and usual.wasted:
            hint = _hint(meant, cluster)
            return Conclusion.TROUBLE, f"does not resolve in the cluster: {hint or _OUTCOMES[NXDOMAIN]}"
        who = _who(usual.steps[-1]) if usual.steps else "a server that was not seen"
        before = f", after {counted(usual.wasted, 'query', 'queries')} without result" if usual.wasted else ""
        return Conclusion.UNKNOWN, f"is answered outside of the cluster ({who}){before}"
    if failures == {""}:
        return Conclusion.WELL, f"resolves to {_what(usual, cluster)}"
    if "" in failures:
        working = [resolver for resolver in RESOLVERS if not found[resolver].failure]
        failing = [resolver for resolver in RESOLVERS if found[resolver].failure]
        return Conclusion.TROUBLE, f"resolves with {listed(working, 3)} only: fails with {listed(failing, 3)}"
    reason = _OUTCOMES.get(usual.failure, usual.failure)
    meant = _meant(name, setting, cluster)
    hint = _hint(meant, cluster) if meant is not None else ""
    return Conclusion.TROUBLE, f"does not resolve: {reason}{f'; {hint}' if hint else ''}"


def _refusal(reply: DnsReply) -> str:
    return "an empty answer" if reply.rcode == NOERROR else reply.rcode


def _who(step: DnsStep) -> str:
    by = step.reply.by if step.reply is not None else ""
    return by or step.server


def _what(lookup: NameLookup, cluster: Cluster) -> str:
    address = lookup.addresses[0]
    service = service_with_address(address, cluster.maybe.all(Service))
    shown = listed(lookup.addresses, 3)
    return f"{ref(service).title} ({shown})" if service is not None else shown


def _meant(name: str, setting: LookupSetting, cluster: Cluster) -> ServiceName | None:
    """The Service that a name stands for by its form; None for names that may well be outside of the cluster."""
    namespaces = [space.name for space in cluster.maybe.all(Namespace)]
    host = name.rstrip(".").removesuffix(f".{setting.domain}")
    own = setting.conf.searches[0].partition(".")[0] if setting.conf.searches else setting.namespace
    return service_named(host, own, namespaces)


def _hint(meant: ServiceName, cluster: Cluster) -> str:
    """What there is in place of the Service that a name stands for."""
    services = cluster.maybe.all(Service)
    namespaces = [space.name for space in cluster.maybe.all(Namespace)]
    if meant.namespace not in namespaces and namespaces:
        return f"there is no Namespace {meant.namespace}"
    same = sorted(row.namespace for row in services if row.name == meant.name)
    if same and meant.namespace not in same:
        return f"Service {meant.name} is in {listed(same, 3)}: write {meant.name}.{same[0]}"
    if same:
        row = next(row for row in services if (row.name, row.namespace) == (meant.name, meant.namespace))
        if row.spec.is_headless:
            return f"{ref(row).title} is headless, and no endpoint of it is ready"
        return ""
    near = next(iter(misspellings(meant.name, [row.name for row in services if row.namespace == meant.namespace])), "")
    return f"did you mean {near}?" if near else f"there is no Service {meant.namespace}/{meant.name}"


def _chain(pod: Pod, setting: LookupSetting) -> Iterator[Link]:
    policy = pod.spec.dns_policy or "ClusterFirst"
    of = "the cluster's DNS" if policy_of(pod) == "Cluster" else "its node" if policy_of(pod) == "Host" else "dnsConfig"
    network = " on its node's network" if pod.spec.host_network else ""
    yield Link(
        f"resolv.conf: dnsPolicy {policy}{network}, servers of {of}: {listed(setting.conf.servers, 3) or 'not seen'}"
    )
    if setting.conf.searches or setting.conf.options:
        yield Link(
            f"search {listed(setting.conf.searches, 6) or 'nothing'}; options {listed(setting.conf.options, 6) or 'none'}"
        )
    if setting.dns is None or not setting.by_cluster:
        return
    service = ref(setting.dns.service)
    if setting.blocked:
        side, names = _blocking(setting.blocked)
        port = setting.dns.servers[0].port
        yield Link(
            f"network policies block UDP {port} to {service.title}: {side} is isolated by {names}", Mark.NO, service
        )
    elif setting.down:
        yield Link(setting.down, Mark.NO, service)
    elif setting.problem:
        yield Link(f"CoreDNS does not load its Corefile: {setting.problem}", Mark.NO)
    else:
        yield Link(f"{service.title} answers, and no policy blocks the way to it", Mark.YES, service)


def _blocking(blocked: tuple[ConnectionVerdict, ...]) -> tuple[str, str]:
    """The direction that is denied, and the policies that isolate it."""
    verdict = blocked[0]
    direction, side = ("ingress", verdict.ingress) if verdict.egress.allowed else ("egress", verdict.egress)
    policies = side.isolated_by or ((side.policy,) if side.policy is not None else ())
    return direction, listed((policy.ref.title for policy in policies), 3) or side.tier


def _facts(pod: Pod, name: str, setting: LookupSetting, found: Mapping[str, NameLookup]) -> Iterator[Fact]:
    usual = found[GLIBC]
    if setting.not_seen:
        return
    if usual.wasted >= _WASTEFUL:
        ndots = setting.conf.option("ndots") or "1"
        text = f"{usual.wasted} of {len(usual.steps)} queries find nothing: ndots is {ndots}, the name has {name.count('.')}"
        yield Fact("wasted", f"{text} {'dot' if name.count('.') == 1 else 'dots'}")
    if len({(lookup.addresses, lookup.failure) for lookup in found.values()}) > 1:
        for resolver in RESOLVERS:
            lookup = found[resolver]
            yield Fact(resolver, listed(lookup.addresses, 3) or _OUTCOMES.get(lookup.failure, lookup.failure))
    yield from (Fact("kubelet", text) for text in setting.conf.left_out)


def _tables(lookup: NameLookup, title: str) -> tuple[Table, ...]:
    rows: dict[str, SheetRow] = {}
    for step in lookup.steps:
        reply = step.reply
        rcode = reply.rcode if reply is not None else "no answer"
        data = listed((record.data for record in reply.answers), 3) if reply is not None else ""
        known = rows.get(step.question.name)
        if known is not None and (known.cells[2].text or not data):
            continue
        mark = Mark.UNKNOWN if rcode == UNKNOWN else Mark.YES if data else Mark.NO
        cells = (
            Cell(step.question.name),
            Cell("not seen" if rcode == UNKNOWN else rcode, mark),
            Cell(data),
            Cell(_who(step)),
        )
        rows[step.question.name] = SheetRow(cells)
    return (Table(("query (A and AAAA)", "answer", "records", "by"), tuple(rows.values()), title),) if rows else ()


def _allowing(source: ReachSource, setting: LookupSetting, cluster: Cluster) -> Iterator[Fix]:
    """The smallest rule that allows the queries, proven by replay."""
    if setting.dns is None or not (setting.by_cluster and setting.blocked):
        return
    reached = tuple(targets_behind(setting.dns.service, DNS_PORT, "UDP", cluster))
    for judged in judgement(source, reached, cluster).denied[:1]:
        yield from allowing_fixes(judged, source, cluster)


def _fixes(pod: Pod, name: str, setting: LookupSetting, usual: NameLookup, cluster: Cluster) -> Iterator[Fix]:
    if policy_of(pod) == "Host" and pod.spec.host_network and (pod.spec.dns_policy or "ClusterFirst") == "ClusterFirst":
        yield Fix("Set dnsPolicy ClusterFirstWithHostNet: a pod on its node's network has the node's DNS without it")
    if not setting.not_seen and usual.wasted >= _WASTEFUL and "." in name and not name.endswith("."):
        yield Fix(f"Write {name}. with a final dot, or set ndots to {max(name.count('.'), 1)} in dnsConfig of the pod")


def _gaps(setting: LookupSetting) -> Iterator[str]:
    if not setting.by_cluster or setting.conf.servers:
        yield "the node's resolv.conf is no object of the cluster: its servers and search domains are missing here"
    if setting.dns is None:
        yield setting.down or setting.not_seen or "the cluster's DNS was not seen"
    elif setting.server is None and not setting.problem:
        yield "the Corefile was not read (ConfigMap kube-system/coredns)"


def _data(
    pod: Pod, name: str, setting: LookupSetting, found: Mapping[str, NameLookup], conclusion: Conclusion
) -> dict[str, Any]:
    return {
        "pod": ref(pod),
        "name": name,
        "resolves": {Conclusion.WELL: True, Conclusion.TROUBLE: False}.get(conclusion),
        "resolvConf": {
            "nameservers": list(setting.conf.servers),
            "search": list(setting.conf.searches),
            "options": list(setting.conf.options),
        },
        "resolvers": {
            resolver: {
                "addresses": list(found[resolver].addresses),
                "failure": found[resolver].failure,
                "wasted": found[resolver].wasted,
                "queries": [
                    {
                        "server": step.server,
                        "query": step.question.name,
                        "type": step.question.type,
                        "rcode": step.reply.rcode if step.reply is not None else "",
                    }
                    for step in found[resolver].steps
                ],
            }
            for resolver in (GLIBC, GO, MUSL)
        },
    }
