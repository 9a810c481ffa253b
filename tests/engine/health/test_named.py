"""Which kinds of extensions a scan lists beside those that diagnostics read."""

from __future__ import annotations

from typing import Any

from kubedoctor.cluster import Ref
from kubedoctor.cluster.seen.reading import event_want
from kubedoctor.cluster.seen.wants import LogWant, Want
from kubedoctor.engine import Catalogue, focus
from kubedoctor.engine.health import extensions_named
from tests.engine.clinic import TAKEN_AT, complete, live, objects, pod
from tests.engine.health.test_trouble import ago, condition
from tests.engine.health.test_warnings import event


def owned(kind: str, version: str) -> dict[str, Any]:
    made = pod("web-1")
    made["metadata"]["ownerReferences"] = [{"kind": kind, "apiVersion": version, "name": "web", "controller": True}]
    return made


def test_kinds_that_own_seen_objects_or_that_events_are_about() -> None:
    assert extensions_named(complete(owned("Kafka", "kafka.strimzi.io/v1beta2"))) == {"Kafka.kafka.strimzi.io"}
    assert extensions_named(complete(owned("Service", "serving.knative.dev/v1"))) == {"Service.serving.knative.dev"}
    seen = event("Certificate", "Failed", ago(minutes=1), api="cert-manager.io/v1")
    assert extensions_named(complete(seen)) == {"Certificate.cert-manager.io"}


def test_kubernetes_own_kinds_and_what_was_listed_are_left_out() -> None:
    assert extensions_named(complete(owned("ReplicaSet", "apps/v1"))) == frozenset()
    assert (
        extensions_named(complete(event("Ingress", "Sync", ago(minutes=1), api="networking.k8s.io/v1"))) == frozenset()
    )
    kafka = {
        "apiVersion": "kafka.strimzi.io/v1beta2",
        "kind": "Kafka",
        "metadata": {"name": "web", "namespace": "shop"},
    }
    assert extensions_named(complete(owned("Kafka", "kafka.strimzi.io/v1beta2"), kafka)) == frozenset()


def test_an_object_that_no_diagnostic_checks_is_asked_for_its_events() -> None:
    subject = Ref("Certificate.cert-manager.io", "shop", "web")
    manifest = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": ago(days=1)},
        "status": {"conditions": [condition("Ready", "False", "Failed")]},
    }
    snapshot = live()
    asked: list[Want | LogWant] = []

    def gather(wants: frozenset[Want | LogWant]) -> None:
        for want in wants:
            asked.append(want)
            if isinstance(want, Want):
                found = event("Certificate", "Failed", ago(minutes=1)) if want.kind == "Event" else manifest
                snapshot.add(objects(found))
                snapshot.cover(want)

    report = focus(Catalogue(()), subject, snapshot, gather)
    assert snapshot.taken_at == TAKEN_AT
    assert event_want(subject) in asked
    assert report.unexplained[0].messages[-1] == "event Failed, once, 60s ago: the message of Failed"
