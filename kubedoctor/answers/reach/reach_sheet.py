"""Can A reach B? The way of a connection as a sheet: each hop, who decides, and what would allow it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from kubedoctor.answers.connectivity.everywhere import from_everywhere
from kubedoctor.answers.reach.connections import ConnectionTarget, Denial
from kubedoctor.answers.reach.denials import in_words
from kubedoctor.answers.reach.destination import ReachEnd, parse_destination
from kubedoctor.answers.reach.judging import (
    JudgedTarget,
    Judgement,
    allowing_fixes,
    extension_readings,
    judgement,
)
from kubedoctor.answers.reach.listening import container_link, declares, port_text, right_port
from kubedoctor.answers.reach.mesh.fixing import mesh_fixes
from kubedoctor.answers.reach.mesh.hop import hops_of
from kubedoctor.answers.reach.mesh.verdict import MeshHops
from kubedoctor.answers.reach.reach_data import hops_data, reach_data
from kubedoctor.answers.reach.way import ADDRESS, ReachSource, Way, source_of, way_of
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Link, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.core import Namespace, Node, Service
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, kind_name, ref
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, ready
from kubedoctor.findings.commands import kubectl
from kubedoctor.findings.model import Command, Fix
from kubedoctor.replay.network import NETWORK_POLICY, AdminPolicy, Side
from kubedoctor.replay.services.hosts import is_address, is_local

_SHOWN = 3
_ROUTED = "whether addresses of pods are routed from outside of the cluster is not known; in most networks they are not"


def reach_sheet(subject: Ref, text: str, cluster: Cluster, *, everywhere: bool = False) -> Sheet:
    """The whole answer. everywhere: with a table of all workloads as the source."""
    end = parse_destination(text)
    _foresee(subject, end, cluster)
    source = source_of(subject, cluster)
    way = way_of(source, end, cluster)
    title = f"{source.name.title} → {text}"
    if way.obstacle is not None:
        return _stopped(title, source, end, way)
    targets = way.targets
    if way.outside:
        if not end.number:
            end = end._replace(port=str(_defaultport_text(way)))
        targets = (ConnectionTarget(None, way.named, end.number, end.protocol, way.service),)
    asked, source = source, way.proxy_source or source
    found = judgement(source, targets, cluster)
    ends = tuple(row.target for row in found.allowed)
    mesh = MeshHops(hops_of(source, way, ends, cluster))
    denied = next(((hop, row) for hop, row in zip(mesh.rows, ends, strict=True) if hop in mesh.denials), None)
    conclusion, verdict = _verdict(source, way, found, mesh, cluster)
    links = (*_front_links(asked, way), *_chain(source, way, found), *mesh.links)
    return Sheet(
        title=title,
        verdict=verdict,
        conclusion=conclusion,
        facts=tuple(_facts(source, found)),
        tables=(*_tables(found), *(from_everywhere(way, cluster) if everywhere else ())),
        chain=links,
        fixes=(
            *_fixes(end, found, source, cluster),
            *(mesh_fixes(denied[0], source, way, denied[1], cluster) if denied and denied[0] else ()),
            *right_port(way, targets, cluster),
        ),
        next=tuple(_next(source, found)),
        gaps=tuple(_gaps(source, way, found, cluster)),
        data=reach_data(asked, end, links, way, found, conclusion, cluster),
    )


def _foresee(subject: Ref, end: ReachEnd, cluster: Cluster) -> None:
    """What is read in any case, in one round: the subject, what its name for the target most likely means, policies."""
    maybe = cluster.maybe
    host = end.host.split(".")
    name, namespace = host[0], host[1] if len(host) > 1 else subject.namespace
    readings: list[Callable[[], object]] = [
        partial(cluster.get_ref, subject),
        partial(maybe.all, NetworkPolicy, subject.namespace),
    ]
    if not is_address(end.host) and end.kind in ("", "Service"):
        readings += [
            partial(maybe.all, Namespace),
            partial(maybe.get, Service, namespace, name),
            partial(maybe.slices_of, namespace, name),
        ]
        if namespace != subject.namespace:
            readings.append(partial(maybe.all, NetworkPolicy, namespace))
    elif is_address(end.host):
        readings += [
            partial(maybe.all, Service),
            partial(maybe.all, Pod),
            partial(maybe.all, Node),
            partial(maybe.all, NetworkPolicy),
        ]
    cluster.together(*readings, *extension_readings(cluster))


def _defaultport_text(way: Way) -> int:
    return way.port.port if way.port is not None else 443


def _front_links(source: ReachSource, way: Way) -> Iterator[Link]:
    """From who asks to the proxy of the Ingress or route: outside of what policies of pods decide."""
    if way.front is None:
        return
    yield _from(source)
    yield from way.front.links
    if way.front.path:
        text = f"{way.front.about.title} serves path {way.front.path}: the policies that count are those of its proxy"
        yield Link(text, Mark.YES, way.front.about)


def _stopped(title: str, source: ReachSource, end: ReachEnd, way: Way) -> Sheet:
    assert way.obstacle is not None
    links = list(_front_links(source, way)) or [_from(source)]
    links += _alias_links(way)
    if way.service is not None:
        links.append(_to_service(way.service))
    known = way.obstacle.known
    links.append(Link(way.obstacle.text, Mark.NO if known else Mark.UNKNOWN, way.obstacle.about))
    outcome = {"not found": "the name does not resolve", "refused": "connection refused", "timeout": "times out"}
    fate = outcome.get(way.obstacle.fate, way.obstacle.fate)
    about = way.obstacle.about
    return Sheet(
        title=title,
        verdict=f"does not reach it{f' ({fate})' if fate else ''}: {way.obstacle.text}"
        if known
        else f"not known: {way.obstacle.text}",
        conclusion=Conclusion.TROUBLE if known else Conclusion.UNKNOWN,
        chain=tuple(links),
        next=(Command(about.describe_command, "what decides"),) if about is not None else (),
        data={
            "source": source.name,
            "destination": end.text,
            "reaches": False if known else None,
            "outcome": way.obstacle.fate,
            "hops": hops_data(links),
        },
    )


def _verdict(
    source: ReachSource, way: Way, found: Judgement, mesh: MeshHops, cluster: Cluster
) -> tuple[Conclusion, str]:
    total, denied = len(found.targets), found.denied
    if denied:
        who, direction = _decider(denied[0]), "ingress" if denied[0].verdict.egress.allowed else "egress"
        if found.enforcer is not None and found.enforcer.enforces is False:
            return (
                Conclusion.UNKNOWN,
                f"{who} denies {direction}, but {found.enforcer.name} does not enforce network policies",
            )
        if len(denied) < total:
            which = f"{len(denied)} of {counted(total, 'endpoint')}"
            return Conclusion.TROUBLE, f"reaches only some endpoints: {who} denies {direction} for {which}"
        return Conclusion.TROUBLE, f"does not reach it: {who} denies {direction}"
    if mesh.denied:
        return Conclusion.TROUBLE, mesh.denied
    if any(row.unsure for row in found.targets):
        return Conclusion.UNKNOWN, f"depends on address and port of {way.named}, which were not seen: a policy decides"
    if found.others:
        return Conclusion.UNKNOWN, "no Kubernetes policy denies it, but policies exist that are not replayed"
    if _unseen(found, cluster):
        return Conclusion.UNKNOWN, "no policy that could be read denies it"
    allowed = [row.target for row in found.allowed]
    if source.pod is not None and finished(source.pod):
        return Conclusion.UNKNOWN, f"policies allow it, but {ref(source.pod).title} has ended and connects no more"
    if way.service is None and not way.outside and allowed[0].pod is None:
        return Conclusion.UNKNOWN, f"no policy blocks it; what answers at {_host(allowed[0])} is not known"
    if source.pod is None and not source.party.node and way.service is None and not way.outside:
        return Conclusion.UNKNOWN, f"no policy blocks it; {_ROUTED}"
    if way.entrance and any(row.verdict.ingress.tier for row in found.targets):
        return (
            Conclusion.UNKNOWN,
            "policies allow the source itself, but they may see the address of a node in its place",
        )
    unready = [target.pod for target in allowed if target.pod is not None and not ready(target.pod)]
    if unready and len(unready) == len(allowed):
        return Conclusion.UNKNOWN, f"policies allow it, but {ref(unready[0]).title} is not ready"
    undeclared = [target for target in allowed if declares(target) is False]
    if undeclared and len(undeclared) == len(allowed):
        return Conclusion.UNKNOWN, f"policies allow it, but no container declares port {port_text(undeclared[0])}"
    if mesh.undecided:
        return Conclusion.UNKNOWN, f"network policies allow it, but {mesh.undecided}"
    return Conclusion.WELL, _reached(way, found)


def _host(target: ConnectionTarget) -> str:
    where = "the node itself" if is_local(target.address) else target.address or "an address that was not seen"
    return f"{where} on {port_text(target)}"


def _unseen(found: Judgement, cluster: Cluster) -> bool:
    """Whether something that decides could not be read: policies, or labels of a namespace that a policy may select."""
    if any(gap.kind == kind_name(NetworkPolicy) for gap in cluster.gaps):
        return True
    return bool(found.unseen) and any(row.verdict.egress.tier or row.verdict.ingress.tier for row in found.targets)


def _reached(way: Way, found: Judgement) -> str:
    total = len(found.targets)
    if way.outside:
        return f"no policy blocks it on the way out of the cluster to {way.named}"
    if way.service is None and way.targets[0].pod is not None and is_local(way.targets[0].address):
        return "reaches the pod itself"
    ends = f"{counted(total, 'endpoint')} of {ref(way.service).title}" if way.service is not None else "the target"
    return f"reaches {ends}"


def _decider(judged: JudgedTarget) -> str:
    if judged.denials:
        return f"NetworkPolicy {judged.denials[0].policy.namespace}/{judged.denials[0].policy.name}"
    side = judged.verdict.egress if not judged.verdict.egress.allowed else judged.verdict.ingress
    return side.policy.ref.title if side.policy is not None else "a policy"


# The chain


def _chain(source: ReachSource, way: Way, found: Judgement) -> Iterator[Link]:
    yield _from(source)
    yield from _alias_links(way)
    if way.service is not None:
        if way.entrance:
            yield Link(f"{way.entrance} leads to {ref(way.service).title}", Mark.YES)
        yield _to_service(way.service)
        if not way.outside:
            yield _to_endpoints(way)
    if way.outside:
        yield Link(f"{way.named} is outside of the cluster; its address is not known here", Mark.UNKNOWN)
    elif way.service is None and is_local(way.targets[0].address):
        itself = ref(source.pod).title if source.pod is not None and not source.pod.spec.host_network else "the node"
        yield Link(f"{way.targets[0].address} is {itself} itself", Mark.YES)
    elif way.service is None and way.targets[0].pod is None:
        yield Link(f"{way.targets[0].address} is the address of no pod and no Service", Mark.UNKNOWN)
    judged = (found.denied or found.targets)[0]
    for direction, side in (("egress", judged.verdict.egress), ("ingress", judged.verdict.ingress)):
        inside = judged.target.pod is not None
        if direction == "egress" or inside:
            denial = next((row for row in judged.denials if _way_of(row) == direction), None)
            yield _policy_link(direction, side, denial, judged, source)
    target = judged.target
    if target.pod is not None:
        yield container_link(target)


def _way_of(denial: Denial) -> str:
    return denial.direction.lower()


def _from(source: ReachSource) -> Link:
    if source.pod is None and source.name.kind == ADDRESS and not source.party.node:
        return Link(f"from {source.address}, an address of no pod and no node", Mark.YES)
    if source.pod is None:
        return Link(f"from {source.name.title}, on the node's network", Mark.YES)
    if finished(source.pod):
        return Link(f"{ref(source.pod).title} has ended: it connects no more", Mark.UNKNOWN, ref(source.pod))
    if source.planned:
        return Link(f"from the pod template of {source.name.title}: no pod exists", Mark.UNKNOWN, source.name)
    return Link(
        f"from {ref(source.pod).title} ({source.pod.status.pod_ip or 'no address yet'})", Mark.YES, ref(source.pod)
    )


def _alias_links(way: Way) -> Iterator[Link]:
    yield from map(_to_service, way.aliases)


def _to_service(service: Service) -> Link:
    spec = service.spec
    address = spec.external_name if spec.type == "ExternalName" else spec.cluster_ip or "no address"
    kind = "headless" if spec.is_headless else f"{spec.type} {address}"
    return Link(f"{ref(service).title} ({kind})", Mark.YES, ref(service))


def _to_endpoints(way: Way) -> Link:
    names = (ref(target.pod).title if target.pod is not None else target.address for target in way.targets)
    number = way.targets[0].port
    port = f"port {way.port.port} → " if way.port is not None and way.port.port != number else ""
    chosen = f" (chosen by {way.proxy.why})" if way.proxy is not None and way.proxy.why else ""
    return Link(f"{port}{listed((f'{name}:{number}' for name in names), _SHOWN)}{chosen}", Mark.YES)


def _policy_link(direction: str, side: Side, denial: Denial | None, judged: JudgedTarget, source: ReachSource) -> Link:
    isolated = source.name if direction == "egress" or judged.target.pod is None else ref(judged.target.pod)
    if judged.unsure:
        names = listed((policy.ref.title for policy in side.isolated_by), _SHOWN)
        return Link(f"{direction}: {names} allows blocks of addresses; the address is not known", Mark.UNKNOWN)
    if denial is not None:
        policy = ref(denial.policy)
        return Link(f"{direction}: {policy.title} denies it: {in_words(denial)}", Mark.NO, policy)
    if _itself(source, judged.target):
        return Link(f"{direction}: no policy applies to a pod's connections to itself", Mark.YES)
    if not side.tier:
        return Link(f"{direction}: no policy isolates {isolated.title}", Mark.YES)
    verb = "allows" if side.allowed else "denies"
    if side.policy is None or side.rule is None:
        return Link(f"{direction}: {side.tier} {verb} it", Mark.YES if side.allowed else Mark.NO)
    name = f" ({side.rule.name})" if side.rule.name else ""
    text = f"{direction}: {side.policy.ref.title} {verb} it by {direction} rule {side.rule.index + 1}{name}"
    if isinstance(side.policy, AdminPolicy) and not side.allowed and side.tier not in (NETWORK_POLICY,):
        text += f", priority {side.policy.priority}; no NetworkPolicy overrides that" if _above(side) else ""
    return Link(text, Mark.YES if side.allowed else Mark.NO, side.policy.ref)


def _above(side: Side) -> bool:
    return side.tier in ("AdminNetworkPolicy", "ClusterNetworkPolicy/Admin")


def _itself(source: ReachSource, target: ConnectionTarget) -> bool:
    return source.pod is not None and target.pod is not None and ref(source.pod) == ref(target.pod)


# The rest of the sheet


def _facts(source: ReachSource, found: Judgement) -> Iterator[Fact]:
    judged = (found.denied or found.targets)[0]
    for label, side in (("egress", judged.verdict.egress), ("ingress", judged.verdict.ingress)):
        if side.isolated_by:
            names = listed((policy.ref.title for policy in side.isolated_by), 5)
            yield Fact(label, f"isolated by {names}")
    if found.enforcer is not None:
        said = {True: "enforces network policies", False: "does not enforce network policies"}
        text = (
            said.get(found.enforcer.enforces is True)
            if found.enforcer.enforces is not None
            else "may enforce network policies"
        )
        yield Fact("network", f"{found.enforcer.name} {text}")
    if source.planned:
        yield Fact("source", f"{source.name.title} has no pods; its pod template stands for them")


def _tables(found: Judgement) -> tuple[Table, ...]:
    if len(found.targets) < 2:
        return ()
    rows = []
    for judged in found.targets:
        target = judged.target
        name = ref(target.pod).title if target.pod is not None else target.address
        sides = (judged.verdict.egress, judged.verdict.ingress)
        marks = [Cell("", Mark.YES if side.allowed else Mark.NO) for side in sides]
        rows.append(SheetRow((Cell(name), Cell(port_text(target)), *marks), ref(target.pod) if target.pod else None))
    return (Table(("endpoint", "port", "egress", "ingress"), tuple(rows)),)


def _fixes(end: ReachEnd, found: Judgement, source: ReachSource, cluster: Cluster) -> Iterator[Fix]:
    if not found.denied:
        return
    judged = found.denied[0]
    yield from allowing_fixes(judged, source, cluster, by_workload=end.kind in WORKLOAD_KINDS - {"Pod"})
    for side in (judged.verdict.egress, judged.verdict.ingress):
        if not side.allowed and isinstance(side.policy, AdminPolicy) and side.rule is not None:
            rule = f"rule {side.rule.index + 1} of {side.policy.ref.title}"
            yield Fix(f"Add a rule before {rule} that allows this connection", changes=side.policy.ref)


def _next(source: ReachSource, found: Judgement) -> Iterator[Command]:
    for judged in found.denied[:1]:
        for denial in judged.denials:
            policy = denial.policy
            line = kubectl("get", "networkpolicy", policy.name, "-o", "yaml", namespace=policy.namespace)
            yield Command(line, "the rules of the policy that denies")


def _gaps(source: ReachSource, way: Way, found: Judgement, cluster: Cluster) -> Iterator[str]:
    if found.not_looked:
        yield f"administrators' policies and those of Cilium and Calico: {found.not_looked}"
    if found.others:
        yield f"not replayed: {listed((name.title for name in found.others), _SHOWN)}"
    for namespace in found.unseen if _unseen(found, cluster) else ():
        yield f"Namespace {namespace}: its labels were not seen, so rules that select it count as no match"
    if way.unread:
        yield "EndpointSlices: none was read, so the ready pods of the selector count as endpoints"
    if source.pod is None and not source.party.node and way.service is not None and not way.entrance:
        yield "a cluster address is routed on nodes only: from elsewhere the Service is entered by another address"
    if found.enforcer is None and any(row.verdict.egress.tier or row.verdict.ingress.tier for row in found.targets):
        yield "no network plug-in is recognised that enforces network policies"
