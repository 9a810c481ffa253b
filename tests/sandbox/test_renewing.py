"""A demo that is looked at for an hour still tells the story of its recording."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue, scan
from kubedoctor.sandbox import Sandbox, SandboxState, load_recording, recording_names, recording_path, serve
from tests.sandbox.conftest import Client

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LEASES = "/apis/coordination.k8s.io/v1/leases"


def lease(name: str, renewed: str, version: str) -> dict[str, Any]:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": "kube-node-lease", "uid": name, "resourceVersion": version},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": renewed},
    }


def times(asking: Client) -> dict[str, str]:
    return {each["metadata"]["name"]: each["spec"]["renewTime"] for each in asking.get(LEASES)["items"]}


def test_who_renewed_its_lease_goes_on_and_who_was_silent_stays_so() -> None:
    objects = [lease("well", "2026-11-23T11:59:55.250000Z", "7"), lease("lost", "2026-11-23T11:59:00.000000Z", "5")]
    now = [NOON]
    asking = Client(Sandbox(SandboxState(objects, taken_at=NOON), clock=lambda: now[0], renews=True))
    assert times(asking) == {"well": "2026-11-23T11:59:55.250000Z", "lost": "2026-11-23T11:59:00.000000Z"}
    now[0] += timedelta(minutes=10)
    assert times(asking) == {"well": "2026-11-23T12:09:55.250000Z", "lost": "2026-11-23T11:59:00.000000Z"}
    one = asking.get("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/well")
    assert (one["metadata"]["resourceVersion"], one["metadata"]["uid"]) == ("8", "well")
    assert objects[0]["metadata"]["resourceVersion"] == "7"


def test_without_being_asked_to_no_lease_is_renewed() -> None:
    objects = [lease("well", "2026-11-23T11:59:55.250000Z", "7")]
    asking = Client(Sandbox(SandboxState(objects, taken_at=NOON), clock=lambda: NOON + timedelta(hours=1)))
    assert times(asking) == {"well": "2026-11-23T11:59:55.250000Z"}


def causes(name: str, ago: timedelta) -> set[tuple[str, str]]:
    """The causes that a demo shows so long after its start."""
    state = load_recording(recording_path(name), rebase_to=datetime.now(UTC) - ago)
    with serve(Sandbox(state, renews=True)) as served:
        source = open_source(Options(kubeconfig=str(served.kubeconfig), all_namespaces=True))
        try:
            catalogue = load_catalogue()
            source.list_all(catalogue.reads(), "")
            report = scan(catalogue, source.snapshot, source.gather)
        finally:
            source.close()
    found = (report.finding(incident.cause) for incident in report.incidents)
    return {(cause.code, cause.about.title) for cause in found}


@pytest.mark.parametrize("name", recording_names())
def test_a_demo_shows_the_same_causes_an_hour_later(name: str) -> None:
    assert causes(name, timedelta(hours=1)) == causes(name, timedelta())
