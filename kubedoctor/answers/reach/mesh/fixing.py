"""What lets a connection pass a mesh that denies it: the smallest change of the object that decides, proven by asking again, and what
else it opens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.answers.proof import prove, proven
from kubedoctor.answers.reach.connections import ConnectionTarget
from kubedoctor.answers.reach.mesh.hop import mesh_hop
from kubedoctor.answers.reach.mesh.verdict import MeshHop
from kubedoctor.answers.reach.way import ReachSource, Way
from kubedoctor.answers.sheet import Mark
from kubedoctor.cluster.changes import Change, create, put
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.relations.services import pods_selected_by
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished
from kubedoctor.findings.commands import command_line
from kubedoctor.findings.model import Fix
from kubedoctor.replay.mesh.config import (
    AUTHORIZATION_POLICY,
    DESTINATION_RULE,
    NETWORKING,
    PEER_AUTHENTICATION,
    ROOT_NAMESPACE,
    SECURITY,
    VIRTUAL_SERVICE,
    labels,
    part,
    rows,
    text,
)
from kubedoctor.replay.mesh.registry import full_name
from kubedoctor.replay.mesh.subsets import rules_for, subsets_of

_TRUST_DOMAIN: Final = "cluster.local"
_VERSION: Final = "version"


def mesh_fixes(
    hop: MeshHop, source: ReachSource, way: Way, target: ConnectionTarget, cluster: Cluster
) -> Iterator[Fix]:
    """For one endpoint that a mesh of Istio denies."""
    obj = cluster.maybe.get_ref(hop.about) if hop.about is not None else None
    if not isinstance(obj, CustomResource) or hop.about is None:
        return
    found: Iterator[tuple[str, Change]] = iter(())
    if hop.about.kind == AUTHORIZATION_POLICY:
        found = _widened(obj, source, target)
    elif hop.about.kind == PEER_AUTHENTICATION and "no sidecar" in hop.text:
        found = _permissive(obj, target)
    elif hop.about.kind == VIRTUAL_SERVICE:
        found = _with_subset(obj, way, cluster)
    elif hop.about.kind == DESTINATION_RULE:
        found = _relabelled(obj, way, cluster)

    def passes(after: Cluster) -> bool:
        again = mesh_hop(source, way, target, after)
        return again is None or again.mark is not Mark.NO

    for summary, change in found:
        others = [cluster.maybe.get_ref(one.about) for one in change.operations]
        line = command_line(change, *(one for one in others if one is not None))
        yield proven(Fix(summary, line), prove(change, cluster, passes))


def _widened(policy: CustomResource, source: ReachSource, target: ConnectionTarget) -> Iterator[tuple[str, Change]]:
    """A rule for exactly this client. A policy that denies by a rule of its own is left alone, and a client without identity can
    be named by its address only."""
    if source.pod is None or text((policy.spec or {}).get("action")) not in ("", "ALLOW"):
        return
    account = source.pod.spec.service_account_name or "default"
    principal = f"{_TRUST_DOMAIN}/ns/{source.namespace}/sa/{account}"
    rule = {
        "from": [{"source": {"principals": [principal]}}],
        "to": [{"operation": {"ports": [str(target.port)]}}],
    }
    selects = labels(policy.spec, "selector", "matchLabels")
    whom = "of the pods that the policy selects" if selects else f"of all pods in namespace {policy.namespace}"
    if policy.namespace == ROOT_NAMESPACE and not selects:
        whom = "of all pods of the mesh"
    summary = f"Allow service account {source.namespace}/{account} on port {target.port} in {ref(policy).title} (opens the port {whom} to all pods with this account)"
    yield summary, put(ref(policy), ("spec", "rules", "-"), rule)


def _permissive(policy: CustomResource, target: ConnectionTarget) -> Iterator[tuple[str, Change]]:
    """Plain text for one port of the server."""
    pod = target.pod
    if pod is None:
        return
    also = f"(opens port {target.port} of these pods to plain text from every client)"
    if labels(policy.spec, "selector", "matchLabels"):
        path = ("spec", "portLevelMtls", str(target.port), "mode")
        yield (
            f"Set PERMISSIVE for port {target.port} in {ref(policy).title} {also}",
            put(ref(policy), path, "PERMISSIVE"),
        )
        return
    wanted = _identifying(pod)
    if not wanted:
        return
    name = f"{next(iter(wanted.values()))}-port-{target.port}"
    manifest = {
        "apiVersion": policy.api_version or f"{SECURITY}/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": name, "namespace": pod.namespace},
        "spec": {
            "selector": {"matchLabels": wanted},
            "mtls": {"mode": "STRICT"},
            "portLevelMtls": {str(target.port): {"mode": "PERMISSIVE"}},
        },
    }
    shown = ", ".join(f"{key}={value}" for key, value in wanted.items())
    yield (
        f"Create a PeerAuthentication for pods with {shown}: PERMISSIVE on port {target.port} {also}",
        create(manifest),
    )


def _identifying(pod: Pod) -> dict[str, str]:
    """The label that names the program."""
    for key in ("app", "app.kubernetes.io/name", "k8s-app"):
        if key in pod.labels:
            return {key: pod.labels[key]}
    return {}


def _with_subset(rule: CustomResource, way: Way, cluster: Cluster) -> Iterator[tuple[str, Change]]:
    """A subset that no DestinationRule defines: the nearest name that one defines, else the subset added for the pods of that
    version."""
    if way.service is None:
        return
    host = full_name(way.service.name, way.service.namespace)
    known = rules_for(host, cluster.maybe.custom("DestinationRule", NETWORKING))
    defined = {subset.name for one in known for subset in subsets_of(one)}
    for at, written in rows(rule.spec, "http"):
        for index, row in rows(written, "route"):
            target = part(row, "destination")
            name = text(target.get("subset"))
            if not name or name in defined or full_name(text(target.get("host")), rule.namespace) != host:
                continue
            path = ("spec", "http", at, "route", index, "destination", "subset")
            if near := misspellings(name, sorted(defined), 1):
                yield f"Route to subset {near[0]} in {ref(rule).title}", put(ref(rule), path, near[0])
            pods = [pod for pod in pods_selected_by(way.service, cluster) if pod.labels.get(_VERSION) == name]
            if known and pods:
                added = {"name": name, "labels": {_VERSION: name}}
                text_of = f"Add subset {name} ({_VERSION}={name}, {counted(len(pods), 'pod')}) to {ref(known[0]).title}"
                yield text_of, put(ref(known[0]), ("spec", "subsets", "-"), added)
            return


def _relabelled(rule: CustomResource, way: Way, cluster: Cluster) -> Iterator[tuple[str, Change]]:
    """A subset whose labels no pod has: the nearest value that the pods of the Service have."""
    if way.service is None:
        return
    pods = [pod for pod in pods_selected_by(way.service, cluster) if not finished(pod)]
    for at, row in rows(rule.spec, "subsets"):
        wanted = labels(row, "labels")
        if any(selector_from_map(wanted).matches(pod.labels) for pod in pods):
            continue
        for key, value in wanted.items():
            there = sorted({pod.labels[key] for pod in pods if key in pod.labels} - {value})
            near = misspellings(value, there, 1) or [one for one in there if one.lstrip("v") == value.lstrip("v")]
            if near:
                path = ("spec", "subsets", at, "labels", key)
                name = text(row.get("name"))
                yield f"Set {key}={near[0]} in subset {name} of {ref(rule).title}", put(ref(rule), path, near[0])
