"""A recording that remembers what happened before its end, as the application opens it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from kubedoctor.cluster import Deployment, Service, Snapshot
from kubedoctor.cluster.history.ring import Ring
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine import load_catalogue
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.session import Session
from tests.tui.recordings import opened

RECORDING = "service-selector-typo"


def remembering() -> ReadableCluster:
    """Since 2 minutes before the end Service shop/checkout selects no pod; 4 minutes before, Deployment shop/web got
    its image, and 6 minutes before, Deployment shop/api."""
    source = opened(RECORDING)
    snapshot = source.snapshot
    ring = snapshot.history = Ring()
    end = snapshot.taken_at
    ring.begin(end - timedelta(minutes=10))
    for minutes, name in ((6, "api"), (4, "web")):
        after = named(snapshot, "Deployment", name)
        assert isinstance(after, Deployment)
        (container, *others) = after.spec.template.spec.containers
        before = replace(container, image="shop/older:1")
        template = replace(after.spec.template, spec=replace(after.spec.template.spec, containers=(before, *others)))
        ring.note(end - timedelta(minutes=minutes), replace(after, spec=replace(after.spec, template=template)), after)
    after = named(snapshot, "Service", "checkout")
    assert isinstance(after, Service)
    ring.note(end - timedelta(minutes=2), replace(after, spec=replace(after.spec, selector={"app": "checkout"})), after)
    return source


def named(snapshot: Snapshot, kind: str, name: str) -> Any:
    """The object of namespace shop."""
    return next(obj for obj in snapshot.of_kind(kind, "shop") if obj.metadata.name == name)


def application(namespace: str = "") -> KubedoctorApp:
    """The application on it."""
    return KubedoctorApp(lambda: Session(remembering(), load_catalogue()), namespace)
