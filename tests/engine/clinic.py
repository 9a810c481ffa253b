"""A small catalogue and small clusters for the engine's own tests."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from datetime import UTC, datetime
from typing import Any

from kubedoctor.cluster import (
    Cluster,
    ConfigMap,
    Deployment,
    KubernetesObject,
    Node,
    Pod,
    ReplicaSet,
    Snapshot,
    Source,
    quote,
    ref,
)
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.findings import Confidence, Diagnostic, Explains, Finding, Severity

TAKEN_AT = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)


def objects(*manifests: dict[str, Any]) -> list[KubernetesObject]:
    """Manifests as structs; anything unreadable fails the test."""
    made: list[KubernetesObject] = []
    for manifest in manifests:
        decoded = convert_object(manifest["kind"], manifest)
        assert not decoded.problems
        made.extend(decoded.objects)
    return made


def pod(name: str, *, node: str = "", owner: str = "", phase: str = "Running") -> dict[str, Any]:
    owners = [{"kind": "ReplicaSet", "name": owner, "controller": True}] if owner else []
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}, "ownerReferences": owners},
        "spec": {"nodeName": node, "containers": [{"name": "app", "image": "web:1"}]},
        "status": {"phase": phase},
    }


def replica_set(name: str, deployment: str) -> dict[str, Any]:
    owner = {"kind": "Deployment", "name": deployment, "controller": True}
    return {"kind": "ReplicaSet", "metadata": {"name": name, "namespace": "shop", "ownerReferences": [owner]}}


def deployment(name: str) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}},
    }


def node(name: str) -> dict[str, Any]:
    return {"kind": "Node", "metadata": {"name": name}}


def complete(*manifests: dict[str, Any]) -> Snapshot:
    snapshot = Snapshot(TAKEN_AT, Source("files", "test"), complete=True)
    snapshot.add(objects(*manifests))
    return snapshot


def live() -> Snapshot:
    return Snapshot(TAKEN_AT, Source("live", "test"))


def made(
    check: Callable[[Any, Cluster], Iterator[Finding]],
    *,
    code: str,
    subject: type[KubernetesObject] | str,
    severity: Severity = Severity.CRITICAL,
    explains: tuple[Explains, ...] = (),
    when: Callable[[Any], bool] | None = None,
    alike: Callable[[Any, Cluster], Hashable] | None = None,
    among: Callable[[Cluster], Callable[[Any], bool]] | None = None,
    also_known_as: tuple[str, ...] = (),
    symptoms: tuple[str, ...] = (),
) -> Diagnostic[Any]:
    """A diagnostic without a module of its own."""
    return Diagnostic(
        id=f"test/{check.__name__.replace('_', '-')}",
        code=code,
        subject=subject,
        severity=severity,
        reads=(Pod, ReplicaSet, Deployment, Node, ConfigMap),
        check=check,
        when=when,
        alike=alike,
        among=among,
        explains=explains,
        also_known_as=also_known_as,
        symptoms=symptoms,
        lesson="A test.",
        package="test",
    )


def said(about: KubernetesObject, summary: str, confidence: Confidence = Confidence.CERTAIN, **more: Any) -> Finding:
    return Finding(ref(about), summary, (quote(about, "metadata.name"),), confidence, **more)
