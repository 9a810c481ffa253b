"""What else is attached to the proxy of a workload: filters, plug-ins, telemetry, token rules; and what istioctl says of the
objects involved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kubedoctor.answers.mesh.sight import MeshSight
from kubedoctor.answers.sheet import Cell, Mark, SheetRow, Table
from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.core import Namespace, Service
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.replay.mesh.analysis.analyzers import analyze
from kubedoctor.replay.mesh.analysis.messages import AnalyzerMessage
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects
from kubedoctor.replay.mesh.attachment import attached_policies
from kubedoctor.replay.mesh.config import (
    AUTHORIZATION_POLICY,
    DESTINATION_RULE,
    GATEWAY,
    NETWORKING,
    PEER_AUTHENTICATION,
    SECURITY,
    SERVICE_ENTRY,
    SIDECAR,
    VIRTUAL_SERVICE,
    labels,
    rows,
    text,
    words,
)

_POLICIES: Final = {
    "RequestAuthentication": SECURITY,
    "Telemetry": "telemetry.istio.io",
    "WasmPlugin": "extensions.istio.io",
}
_KINDS: Final = (
    VIRTUAL_SERVICE,
    DESTINATION_RULE,
    SERVICE_ENTRY,
    SIDECAR,
    GATEWAY,
    AUTHORIZATION_POLICY,
    PEER_AUTHENTICATION,
)
_NOTES: Final = frozenset({"IST0102", "IST0118", "IST0133", "IST0134"})
"""Messages that are not about this workload, or about style only."""
_MOST: Final = 10


def attached_table(sight: MeshSight) -> Iterator[Table]:
    table = []
    for found in sight.custom("EnvoyFilter", NETWORKING):
        wanted = selector_from_map(labels(found.spec, "workloadSelector", "labels"))
        if found.namespace in (sight.pod.namespace, sight.settings.root) and wanted.matches(sight.pod.labels):
            table.append(_row(found, _patches(found)))
    for kind, group in _POLICIES.items():
        attached = attached_policies(sight.pod, sight.custom(kind, group), sight.settings.root)
        table += [_row(found, _does(found)) for found in attached]
    if table:
        yield Table(("object", "does"), tuple(table), "Attached to the proxy")


def _row(found: CustomResource, does: str) -> SheetRow:
    return SheetRow((Cell(ref(found).title), Cell(does)), ref(found))


def _patches(found: CustomResource) -> str:
    return ", ".join(dict.fromkeys(text(row.get("applyTo")) for _, row in rows(found.spec, "configPatches")))


def _does(found: CustomResource) -> str:
    spec = found.spec or {}
    if found.kind == "RequestAuthentication":
        return f"checks tokens of {', '.join(text(row.get('issuer')) for _, row in rows(spec, 'jwtRules'))}"
    if found.kind == "WasmPlugin":
        return f"runs {text(spec.get('url'))}"
    return ", ".join(name for name in ("accessLogging", "metrics", "tracing") if spec.get(name))


def analysis(sight: MeshSight, about: Iterable[Ref]) -> tuple[AnalyzerMessage, ...]:
    """What istioctl says of these objects and of the Services and the namespace of the workload."""
    objects = AnalyzedObjects(
        namespaces=sight.cluster.all(Namespace),
        services=sight.cluster.all(Service),
        pods=sight.cluster.all(Pod),
        custom={kind: sight.custom(*kind.split(".", 1)) for kind in _KINDS},
        binds_kubernetes_gateways=True,
    )
    wanted = {(name.kind.partition(".")[0], name.namespace, name.name) for name in about}
    return tuple(
        message
        for message in analyze(objects)
        if message.code not in _NOTES and (message.kind, message.namespace, message.name) in wanted
    )


def analysis_table(messages: tuple[AnalyzerMessage, ...]) -> Iterator[Table]:
    signs = {"Error": Mark.NO, "Warning": Mark.UNKNOWN}
    table = [
        SheetRow(
            (
                Cell(message.code, signs.get(message.level, Mark.NONE)),
                Cell(f"{message.kind} {message.namespace}/{message.name}".replace(" /", " ")),
                Cell(message.text),
            )
        )
        for message in messages[:_MOST]
    ]
    if table:
        yield Table(("code", "object", "message"), tuple(table), "What istioctl analyze says of these objects")


def involved(sight: MeshSight) -> set[Ref]:
    """The rules and policies that apply to the workload."""
    found = {
        ref(rule.obj)
        for listener in sight.scope.listeners
        for rule in listener.virtual_services
        if sight.pod.namespace in (rule.obj.namespace, *words(rule.obj.spec, "exportTo"))
    }
    for host in sight.scope.services:
        rule = sight.scope.rule_for(host, sight.pod)
        found |= {ref(origin) for origin in rule.origins} if rule is not None else set()
    for kind in ("PeerAuthentication", "AuthorizationPolicy"):
        found |= {ref(one) for one in attached_policies(sight.pod, sight.custom(kind, SECURITY), sight.settings.root)}
    if sight.scope.sidecar is not None:
        found.add(ref(sight.scope.sidecar))
    return found
