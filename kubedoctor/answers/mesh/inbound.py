"""How connections come in: mutual TLS of each port, and the policies that decide who may ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.answers.mesh.sight import MeshSight
from kubedoctor.answers.sheet import Cell, Mark, SheetRow, Table
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.relations.services import services_selecting
from kubedoctor.replay.mesh.attachment import attached_policies
from kubedoctor.replay.mesh.authorization import DRY_RUN
from kubedoctor.replay.mesh.config import SECURITY, part, rows, text, words
from kubedoctor.replay.mesh.injection import PROXY, captures
from kubedoctor.replay.mesh.linkerd.proxies import PROXY as LINKERD_PROXY
from kubedoctor.replay.mesh.mutual_tls import DISABLE, PERMISSIVE, STRICT, Mode, peer_mode
from kubedoctor.replay.services.ports import declared_ports, find_port

_MEANS: Final = {
    STRICT: "clients without a sidecar are reset",
    PERMISSIVE: "takes mutual TLS and plain text",
    DISABLE: "plain text only: no client has an identity",
}
_MOST: Final = 3


def served_ports(sight: MeshSight) -> dict[int, str]:
    """The ports of the pod that Services lead to or that its containers declare, with what they are called."""
    found: dict[int, str] = {}
    for service in services_selecting(sight.pod, sight.cluster):
        for row in service.spec.ports or ():
            if (port := find_port(sight.pod, row)) is not None:
                found.setdefault(port, f"Service {service.name}:{row.port}")
    for container, declared in declared_ports(sight.pod):
        if container.name not in (PROXY, LINKERD_PROXY):
            found.setdefault(declared.container_port, declared.name or "container port")
    return dict(sorted(found.items()))


def mutual_tls_table(sight: MeshSight) -> Iterator[Table]:
    policies = sight.custom("PeerAuthentication", SECURITY)
    table = []
    for port, name in served_ports(sight).items():
        mode = peer_mode(sight.pod, port, policies, sight.settings.root)
        by = ref(mode.policy).title if mode.policy is not None else _default(sight, port)
        cells = (Cell(str(port)), Cell(name), Cell(mode.mode), Cell(_meaning(mode, sight, port)), Cell(by))
        table.append(SheetRow(cells, ref(mode.policy) if mode.policy is not None else None))
    if table:
        yield Table(("port", "of", "mutual TLS", "what that means", "decided by"), tuple(table), "Inbound")


def _meaning(mode: Mode, sight: MeshSight, port: int) -> str:
    return "does not pass the proxy" if not captures(sight.pod, port) else _MEANS.get(mode.mode, "")


def _default(sight: MeshSight, port: int) -> str:
    return "the default" if captures(sight.pod, port) else "annotation of the pod"


def authorization_table(sight: MeshSight) -> Iterator[Table]:
    found = attached_policies(sight.pod, sight.custom("AuthorizationPolicy", SECURITY), sight.settings.root)
    order = {"CUSTOM": 0, "DENY": 1, "ALLOW": 2, "AUDIT": 3}
    ordered = sorted(found, key=lambda policy: order.get(action_of(policy), 2))
    table = tuple(
        SheetRow((Cell(ref(one).title), Cell(action_of(one)), Cell(summary(one))), ref(one)) for one in ordered
    )
    if table:
        yield Table(("policy", "action", "for"), table, "Authorization, in the order in which it is decided")


def authorization_verdict(sight: MeshSight) -> tuple[Mark, str]:
    """Who may ask at all."""
    found = attached_policies(sight.pod, sight.custom("AuthorizationPolicy", SECURITY), sight.settings.root)
    allowing = [
        policy for policy in found if action_of(policy) == "ALLOW" and policy.annotations.get(DRY_RUN) != "true"
    ]
    if not allowing:
        return Mark.YES, "every client may ask" if not found else "every client may ask that no policy denies"
    if not any(list(rows(policy.spec, "rules")) for policy in allowing):
        return Mark.NO, f"no client may ask: {ref(allowing[0]).title} has no rule (403 RBAC: access denied)"
    return Mark.NONE, "only what an ALLOW policy takes may ask; everything else gets 403 RBAC: access denied"


def action_of(policy: CustomResource) -> str:
    return text((policy.spec or {}).get("action")) or "ALLOW"


def summary(policy: CustomResource) -> str:
    """What the rules of a policy take, in some words."""
    rules = [_rule(rule) for _, rule in rows(policy.spec, "rules")]
    if not rules:
        return "no request" if action_of(policy) == "ALLOW" else "nothing: it has no rule"
    dry = " (dry run: it only logs)" if policy.annotations.get(DRY_RUN) == "true" else ""
    return "; ".join(rules[:_MOST]) + (f"; and {len(rules) - _MOST} more" if len(rules) > _MOST else "") + dry


def _rule(rule: object) -> str:
    sources = [_fields(part(row, "source")) for _, row in rows(rule, "from")]
    operations = [_fields(part(row, "operation")) for _, row in rows(rule, "to")]
    keys = [text(row.get("key")) for _, row in rows(rule, "when")]
    said = [f"from {' or '.join(sources)}"] if sources else ["from anyone"]
    said += [f"to {' or '.join(operations)}"] if operations else []
    said += [f"when {', '.join(keys)}"] if keys else []
    return " ".join(said)


def _fields(fields: object) -> str:
    names = fields if isinstance(fields, dict) else {}
    return ", ".join(f"{name} {listed(words(names, name), _MOST)}" for name in names)
