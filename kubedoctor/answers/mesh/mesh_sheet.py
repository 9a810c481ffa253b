"""The mesh of one workload as a sheet."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import msgspec

from kubedoctor.answers.mesh.attached import analysis, analysis_table, attached_table, involved
from kubedoctor.answers.mesh.edge import EdgeRow, edge_rows, edge_table
from kubedoctor.answers.mesh.inbound import (
    authorization_table,
    authorization_verdict,
    mutual_tls_table,
    served_ports,
)
from kubedoctor.answers.mesh.injection import Membership, membership, release_notes
from kubedoctor.answers.mesh.linkerd import linkerd_ports, linkerd_table, linkerd_troubles, profile_facts
from kubedoctor.answers.mesh.outbound import routes_table, ruled_requests, scope_fact, served_facts
from kubedoctor.answers.mesh.sight import MeshSight
from kubedoctor.answers.mesh.waypoints import waypoint_facts, waypoint_troubles, waypoints_of
from kubedoctor.answers.sheet import Conclusion, Fact, Mark, Sheet, Table
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import pods_of, template_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, ready, terminating
from kubedoctor.findings.commands import kubectl
from kubedoctor.findings.model import Command
from kubedoctor.problems import NoSuchObject
from kubedoctor.replay.gateway.attachment import GROUP as GATEWAY_API
from kubedoctor.replay.mesh.config import NETWORKING, SECURITY, part
from kubedoctor.replay.mesh.linkerd.policy import GROUP
from kubedoctor.replay.mesh.mutual_tls import STRICT, peer_mode

_MOST_NAMED: Final = 3
_SECURITY: Final = ("PeerAuthentication", "AuthorizationPolicy", "RequestAuthentication")


def mesh_sheet(subject: Ref, cluster: Cluster) -> Sheet:
    """Raises NoSuchObject."""
    obj = cluster.get_ref(subject)
    if obj is None:
        raise NoSuchObject(f"{subject.title} not found", "", ())
    pod = _pod_of(obj, cluster)
    if pod is None:
        return Sheet(subject.title, "has no pods and no pod template", Conclusion.UNKNOWN)
    known = set(cluster.gaps)
    sight = MeshSight(pod, cluster)
    cluster.together(*(partial(sight.custom, kind, SECURITY) for kind in _SECURITY))
    member = membership(sight)
    sheet = _sheet(subject, sight, member)
    unread = tuple(sorted(str(gap) for gap in cluster.gaps - known))
    return msgspec.structs.replace(sheet, gaps=unread)


def _pod_of(obj: KubernetesObject, cluster: Cluster) -> Pod | None:
    """The pod itself; of a workload a ready pod, else one that its template makes."""
    if isinstance(obj, Pod):
        return obj
    pods = [pod for pod in pods_of(obj, cluster) if not terminating(pod) and not finished(pod)]
    if pods:
        return max(pods, key=lambda pod: (ready(pod), str(pod.metadata.creation_timestamp or ""), pod.name))
    template = template_of(obj)
    if template is None:
        return None
    metadata = msgspec.structs.replace(template.metadata, namespace=obj.namespace, name=obj.name)
    return Pod(metadata=metadata, spec=template.spec)


def _sheet(subject: Ref, sight: MeshSight, member: Membership) -> Sheet:
    releases = list(release_notes(sight))
    facts = [Fact("member", member.text), *(Fact("release", text) for _, text in releases)]
    tables: list[Table] = []
    troubles = [member.text] if member.mark is Mark.NO else []
    troubles += [text for mark, text in releases if mark is Mark.NO]
    if member.kind == "linkerd":
        ports = linkerd_ports(sight)
        tables += linkerd_table(ports)
        troubles += linkerd_troubles(sight, ports)
        facts += [Fact("routes", text) for text in profile_facts(sight)]
    elif member.kind == "gateway":
        edge = edge_rows(sight)
        facts += [] if edge else [Fact("gateways", "none: no Gateway selects the pod, so its proxy opens no port")]
        tables += _of_gateway(sight, edge, troubles)
    elif member.kind == "waypoint":
        facts += waypoint_facts(sight)
        tables += [*authorization_table(sight), *attached_table(sight)]
    elif member.kind in ("sidecar", "ambient"):
        tables += _of_member(sight, member, facts, troubles)
    elif not member.kind:
        facts += _without_identity(sight)
    verdict, conclusion = _verdict(sight, member, troubles)
    return Sheet(
        title=subject.title,
        verdict=verdict,
        conclusion=conclusion,
        facts=tuple(facts),
        tables=tuple(tables),
        next=tuple(_commands(sight, member)),
        data={
            "workload": subject,
            "pod": ref(sight.pod),
            "member": member.kind or None,
            "mutual_tls": _modes(sight) if member.kind in ("sidecar", "ambient") else {},
            "troubles": troubles,
            "sidecar": ref(sight.scope.sidecar) if member.kind == "sidecar" and sight.scope.sidecar else None,
        },
    )


def _of_gateway(sight: MeshSight, found: list[EdgeRow], troubles: list[str]) -> Iterator[Table]:
    troubles += [f"port {row.port} of {row.about.title}: {text}" for row in found for text in row.troubles]
    yield from edge_table(found)
    yield from authorization_table(sight)
    yield from attached_table(sight)
    yield from analysis_table(analysis(sight, {row.about for row in found}))


def _of_member(sight: MeshSight, member: Membership, facts: list[Fact], troubles: list[str]) -> Iterator[Table]:
    facts += _istio_facts(sight, member)
    troubles += waypoint_troubles(sight)
    found = ruled_requests(sight) if member.kind == "sidecar" else []
    troubles += [
        f"{row.end.fate} for {row.requests} to {row.address}: {row.end.text}"
        for row in found
        if row.end.mark is Mark.NO
    ]
    mark, who = authorization_verdict(sight)
    facts.append(Fact("who", who))
    troubles += [who] if mark is Mark.NO else []
    yield from mutual_tls_table(sight)
    yield from authorization_table(sight)
    yield from routes_table(sight, found)
    yield from attached_table(sight)
    yield from analysis_table(analysis(sight, involved(sight)))


def _verdict(sight: MeshSight, member: Membership, troubles: list[str]) -> tuple[str, Conclusion]:
    if troubles:
        more = f" (and {len(troubles) - 1} more)" if len(troubles) > 1 else ""
        return f"{troubles[0]}{more}", Conclusion.TROUBLE
    if member.kind in ("sidecar", "ambient"):
        modes = sorted(set(_modes(sight).values()))
        mutual = f"; mutual TLS {' and '.join(modes)} on {counted(len(_modes(sight)), 'port')}" if modes else ""
        return f"{member.text}{mutual}", Conclusion.WELL if member.mark is Mark.YES else Conclusion.UNKNOWN
    return member.text, Conclusion.WELL if member.kind else Conclusion.ACCOUNT


def _modes(sight: MeshSight) -> dict[str, str]:
    policies = sight.custom("PeerAuthentication", SECURITY)
    return {str(port): peer_mode(sight.pod, port, policies, sight.settings.root).mode for port in served_ports(sight)}


def _istio_facts(sight: MeshSight, member: Membership) -> Iterator[Fact]:
    if member.kind == "sidecar":
        yield scope_fact(sight)
    named = waypoints_of(sight)
    for waypoint in dict.fromkeys(named.values()):
        askers = listed([asker.title for asker, one in named.items() if one == waypoint], _MOST_NAMED)
        yield Fact("waypoint", f"requests pass waypoint {waypoint.namespace}/{waypoint.name}, by the label of {askers}")
    if not named and member.kind == "ambient":
        yield Fact("waypoint", "none: rules of HTTP (paths, methods, routes) are not applied")
    yield from served_facts(sight)


def _without_identity(sight: MeshSight) -> Iterator[Fact]:
    """What a client outside of the mesh meets."""
    strict = [
        ref(policy).title
        for policy in sight.custom("PeerAuthentication", SECURITY)
        if part(policy.spec, "mtls").get("mode") == STRICT
    ]
    if strict:
        more = f" and {len(strict) - _MOST_NAMED} more" if len(strict) > _MOST_NAMED else ""
        yield Fact(
            "clients", f"its connections are reset where mutual TLS is STRICT: {', '.join(strict[:_MOST_NAMED])}{more}"
        )


def _commands(sight: MeshSight, member: Membership) -> Iterator[Command]:
    pod = sight.pod
    if member.kind == "linkerd":
        yield Command(kubectl("get", f"servers.{GROUP}", namespace=pod.namespace), "the Servers of the namespace")
        return
    if member.kind in ("gateway", "waypoint"):
        api = f"gateways.{GATEWAY_API}"
        kinds = f"gateways.{NETWORKING},virtualservices.{NETWORKING}" if member.kind == "gateway" else api
        yield Command(kubectl("get", kinds, "-A"), "the Gateways, and who is bound to them")
        return
    kinds = f"virtualservices.{NETWORKING},destinationrules.{NETWORKING}"
    yield Command(kubectl("get", kinds, "-A"), "the rules of the mesh")
    policies = f"peerauthentications.{SECURITY},authorizationpolicies.{SECURITY}"
    yield Command(kubectl("get", policies, "-A"), "the policies of the mesh")
    yield Command(
        kubectl("get", Namespace.__name__.lower(), pod.namespace, "--show-labels"), "whether injection is enabled"
    )
