"""`timeline`: what happened, and where more of it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.timeline import timeline
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, Ref, Snapshot, Source
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.engine.asking import ask
from tests.engine.clinic import live, node, pod
from tests.engine.test_examination import Server


def answered(subject: Ref, *refused: str) -> Sheet:
    server = Server(live(), node("n1"), pod("a", node="n1"), refused=refused)
    return ask(timeline, subject, Choices(), server.snapshot, server.gather).sheet


@pytest.mark.parametrize(
    ("subject", "namespace"), [(Ref("Pod", "shop", "a"), "shop"), (Ref("Node", "", "n1"), "default")]
)
def test_the_events_of_an_object_without_a_namespace_are_in_default(subject: Ref, namespace: str) -> None:
    (command,) = answered(subject).next
    assert command.line == f"kubectl get events --sort-by=.lastTimestamp -n {namespace}"


@pytest.mark.parametrize(
    ("refused", "conclusion"), [((), Conclusion.ACCOUNT), (("Event",), Conclusion.UNKNOWN)], ids=("read", "refused")
)
def test_events_that_cannot_be_read_leave_the_answer_open(refused: tuple[str, ...], conclusion: Conclusion) -> None:
    assert answered(Ref("Pod", "shop", "a"), *refused).conclusion is conclusion


TAKEN_AT = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)


def thing(
    kind: str, name: str, api: str = "v1", *, metadata: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop", **(metadata or {})},
        **more,
    }


def web() -> list[dict[str, Any]]:
    """A Service that somebody has changed, its slice and its pod."""
    write = {
        "manager": "kubectl-edit",
        "operation": "Update",
        "time": "2026-01-15T09:50:00Z",
        "fieldsV1": {"f:spec": {"f:selector": {}}},
    }
    slice_ = {
        "labels": {"kubernetes.io/service-name": "web"},
        "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "2026-01-15T09:51:00Z"},
    }
    endpoint = {"addresses": ["10.0.0.1"], "conditions": {"ready": False}}
    unready = {"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-15T09:51:00Z"}
    return [
        thing("Service", "web", metadata={"managedFields": [write]}, spec={"selector": {"app": "web"}}),
        thing("EndpointSlice", "web-x", "discovery.k8s.io/v1", metadata=slice_, endpoints=[endpoint]),
        thing("Pod", "web-1", metadata={"labels": {"app": "web"}}, spec={}, status={"conditions": [unready]}),
    ]


def told(subject: Ref, *objects: dict[str, Any]) -> list[tuple[str, str]]:
    """Objects and texts, newest first."""
    snapshot = Snapshot(TAKEN_AT, Source("files", "t", "v1.37.0"), closed=True, complete=True)
    for data in objects:
        snapshot.add(convert_object(data["kind"], data).objects)
    sheet = timeline.answer(subject, Choices(), Cluster(snapshot))
    return [(row.cells[2].text, row.cells[3].text) for table in sheet.tables for row in table.rows]


def test_a_service_tells_its_writes_its_endpoints_and_its_pods() -> None:
    found = told(Ref("Service", "shop", "web"), *web())
    assert ("EndpointSlice shop/web-x", "endpoints changed last (0 of 1 ready now)") in found
    assert ("Pod shop/web-1", "Ready became False") in found
    assert found[-1] == ("Service shop/web", "changed by kubectl edit: spec.selector")


def test_an_ingress_tells_of_the_services_that_it_calls() -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    ingress = thing("Ingress", "front", "networking.k8s.io/v1", spec={"defaultBackend": backend})
    found = told(Ref("Ingress", "shop", "front"), ingress, *web())
    assert ("Pod shop/web-1", "Ready became False") in found
    assert ("Service shop/web", "changed by kubectl edit: spec.selector") in found


@pytest.mark.parametrize(("kind", "api"), [("ConfigMap", "v1"), ("Widget.acme.example", "acme.example/v1")])
def test_any_other_object_tells_of_itself(kind: str, api: str) -> None:
    made = thing(kind.partition(".")[0], "a", api, metadata={"creationTimestamp": "2026-01-15T09:00:00Z"})
    snapshot = Snapshot(TAKEN_AT, Source("files", "t", "v1.37.0"), closed=True, complete=True)
    snapshot.add(convert_object(kind, made).objects)
    subject = Ref(kind, "shop", "a")
    assert timeline.fits(subject)
    (table,) = timeline.answer(subject, Choices(), Cluster(snapshot)).tables
    assert [row.cells[3].text for row in table.rows] == ["created"]


def test_an_event_is_no_subject() -> None:
    assert not timeline.fits(Ref("Event", "shop", "a.1"))
