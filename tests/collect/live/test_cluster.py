"""What a live source makes of an API server's answers: objects, gaps and their reasons."""

from __future__ import annotations

import gc
import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from kubedoctor.cluster import Cluster, Pod, Secret
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.wants import CannotSee, NotCollected, Want
from kubedoctor.collect.recordable import Recordable
from kubedoctor.problems import LoginProblem
from kubedoctor.sandbox import Fault, faults
from tests.collect.conftest import Open
from tests.collect.fake_api import Answer, Asked, FakeApi, listing, refusal, reset, response, truncated
from tests.collect.served import OBJECTS, gather, live, make, names, pod

ALL_PODS, SHOP_PODS = Want("Pod"), Want("Pod", "shop")


def test_each_form_of_want_is_fetched_as_asked() -> None:
    labelled = Want("Pod", "shop", labels="app=web")
    on_node = Want("Pod", fields="spec.nodeName=n2")
    one, absent = Want("ConfigMap", "shop", "settings"), Want("ConfigMap", "shop", "nothing")
    about = Want("Event", "shop", fields="involvedObject.kind=Pod,involvedObject.name=web-1")
    with live() as (source, _):
        gather(source, labelled, on_node, one, absent, about)

    assert names(source, "Pod") == ["web-1", "web-2"]
    assert names(source, "ConfigMap") == ["settings"]
    assert names(source, "Event") == ["e1"]
    for want in (labelled, on_node, one, absent, about):
        assert source.snapshot.covers(want)
    assert not source.snapshot.covers(SHOP_PODS)
    assert source.snapshot.requests == 6  # with the version
    assert source.snapshot.source.kubernetes == "v1.37.2"


def test_the_version_is_asked_once() -> None:
    with live() as (source, sandbox):
        gather(source, Want("Node"))
        gather(source, SHOP_PODS)

    assert [request.path for request in sandbox.requests].count("/version") == 1


def test_listed_kinds_answer_everything_about_them() -> None:
    with live() as (source, _):
        source.list_all(["Pod", "Node", "Log", "VirtualService.networking.istio.io"])
        found = Cluster(source.snapshot)
        assert found.get(Pod, "shop", "none") is None
        assert found.custom("VirtualService", "networking.istio.io") == ()

    assert names(source, "Pod") == ["stranger", "web-1", "web-2"]
    assert not source.snapshot.refusals()


def test_with_a_namespace_only_its_objects_are_listed() -> None:
    with live() as (source, sandbox):
        source.list_all(["Pod", "Node"], "shop")

    assert names(source, "Pod") == ["web-1", "web-2"]
    assert names(source, "Node") == ["n1"]
    assert not source.snapshot.covers(ALL_PODS)
    assert "/api/v1/pods" not in {request.path for request in sandbox.requests}


def test_the_objects_of_a_long_list_are_there_chunk_by_chunk() -> None:
    numbers: set[int] = set()
    callers: set[int] = set()

    def note() -> None:
        with source.lock:
            numbers.add(len(names(source, "Pod")))
        callers.add(threading.get_ident())

    with live(objects=[pod(f"p{number:04}") for number in range(1201)]) as (source, sandbox):
        sandbox.faults.append(replace(faults.slow("pods", seconds=0.2), continued=True))
        source.list_all(["Pod"], on_part=note)

    assert numbers >= {500, 1000}
    assert callers == {threading.get_ident()}
    assert source.snapshot.covers(ALL_PODS)
    assert len(names(source, "Pod")) == 1201


def test_lists_without_content_are_not_shown_in_part() -> None:
    secrets = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"s{number}", "namespace": "shop"}}
        for number in range(600)
    ]
    numbers: set[int] = set()
    with live(objects=secrets) as (source, sandbox):
        sandbox.faults.append(replace(faults.slow("secrets", seconds=0.1), continued=True))
        source.list_all(["Secret"], on_part=lambda: numbers.add(source.snapshot.count()))

    assert numbers <= {0, 600}


def test_long_lists_come_in_chunks() -> None:
    many = [pod(f"p{number:04}") for number in range(1201)]
    with live(objects=many) as (source, sandbox):
        gather(source, ALL_PODS)

    assert len(source.snapshot.of_kind("Pod")) == 1201
    assert [request.query["limit"] for request in sandbox.requests if "pods" in request.path] == ["500"] * 3


def test_an_expired_continuation_starts_again_and_at_last_asks_for_all_at_once() -> None:
    many = [pod(f"p{number:04}") for number in range(600)]
    with live(faults.list_expired("pods", times=None), objects=many) as (source, sandbox):
        gather(source, ALL_PODS)

    assert len(source.snapshot.of_kind("Pod")) == 600
    assert source.snapshot.covers(ALL_PODS)
    asked = [request.query for request in sandbox.requests if "pods" in request.path]
    assert "limit" not in asked[-1]
    assert len(asked) == 7


def test_a_list_that_breaks_off_keeps_what_was_read() -> None:
    many = [pod(f"p{number:04}") for number in range(1600)]
    with live(faults.server_error("pods", after=3), objects=many) as (source, _):
        gather(source, ALL_PODS, Want("Node"))
        assert len(Cluster(source.snapshot).all(Pod)) == 1500

    assert source.snapshot.limitation(ALL_PODS) == (
        "list pods at cluster scope stopped after 1,500 objects: "
        "the server returned 500 (Internal error occurred: etcdserver: request timed out)"
    )
    assert not source.snapshot.covers(ALL_PODS)
    assert source.snapshot.covers(Want("Node"))


@pytest.mark.parametrize("trouble", [truncated, reset, response(b'{"items": [')], ids=["truncated", "reset", "no JSON"])
def test_a_connection_that_breaks_in_the_middle_of_a_list_keeps_what_was_read(trouble: Answer, open_at: Open) -> None:
    def script(asked: Asked) -> Answer:
        if asked.path == "/version":
            return response({"gitVersion": "v1.36.0"})
        return trouble if "continue" in asked.query else listing("a", "b", token="next")

    with FakeApi(script) as api:
        source = open_at(api.url)
        gather(source, SHOP_PODS)

    assert names(source, "Pod") == ["a", "b"]
    assert source.snapshot.limitation(SHOP_PODS).startswith("list pods in shop stopped after 2 objects: ")


def test_where_not_all_namespaces_may_be_read_the_own_one_is() -> None:
    with live(faults.forbidden("pods", namespaces=("",))) as (source, sandbox):
        gather(source, ALL_PODS)
        gather(source, Want("Pod", fields="spec.nodeName=n1"))

    why = "only namespace shop could be read: list pods at cluster scope is forbidden"
    assert source.snapshot.limitation(ALL_PODS) == why
    assert source.snapshot.limitation(Want("Pod", fields="spec.nodeName=n1")) == why
    assert source.snapshot.covers(SHOP_PODS)
    assert names(source, "Pod") == ["web-1", "web-2"]
    assert [request.path for request in sandbox.requests].count("/api/v1/pods") == 1


def test_a_refused_kind_names_verb_resource_and_scope() -> None:
    with live(faults.forbidden("deployments", "secrets", "nodes")) as (source, _):
        gather(source, Want("Deployment"), Want("Deployment", "shop"), Want("Secret", "shop", "db"), Want("Node"))

    refused = source.snapshot.refusal
    assert refused(Want("Deployment")) == (
        "list deployments.apps at cluster scope is forbidden, and so is list deployments.apps in shop"
    )
    assert refused(Want("Deployment", "shop")) == "list deployments.apps in shop is forbidden"
    assert refused(Want("Secret", "shop", "db")) == "get secrets/db in shop is forbidden"
    assert refused(Want("Node")) == "list nodes is forbidden"


def test_everything_refused_is_no_crash_and_no_health() -> None:
    everything = Fault(paths=("/api", "/apis", "/version"))
    with live(everything) as (source, _):
        source.list_all(["Pod", "Node", "Event"], "shop")

    assert source.snapshot.count() == 0
    assert [kind for kind, _ in source.snapshot.refusals()] == ["Event", "Node", "Pod"]
    with pytest.raises(CannotSee):
        Cluster(source.snapshot).all(Pod, "shop")


def test_an_expired_login_is_said_once_and_at_once() -> None:
    with live(faults.unauthorized()) as (source, _), pytest.raises(LoginProblem):
        gather(source, SHOP_PODS, Want("Node"))


def test_a_login_that_expires_in_between_keeps_what_was_read() -> None:
    with live() as (source, sandbox):
        gather(source, SHOP_PODS)
        sandbox.faults.append(faults.unauthorized())
        gather(source, Want("Node"))

    assert "rejects the credentials" in source.snapshot.refusal(Want("Node"))
    assert names(source, "Pod") == ["web-1", "web-2"]


def test_kinds_that_are_not_served_are_empty() -> None:
    with live(faults.group_missing("discovery.k8s.io")) as (source, _):
        gather(source, Want("EndpointSlice"), Want("Widget.example.com", "shop"), Want("Gadget.example.com", "", "x"))

    for want in (Want("EndpointSlice"), Want("Widget.example.com", "shop"), Want("Gadget.example.com", "", "x")):
        assert source.snapshot.covers(want)


def test_an_older_version_is_read_where_the_newest_is_not_served(open_at: Open) -> None:
    def script(asked: Asked) -> Answer:
        if asked.path == "/apis/autoscaling/v1/namespaces/shop/horizontalpodautoscalers":
            return listing("web", kind="HorizontalPodAutoscalerList", api_version="autoscaling/v1")
        return refusal(404, "NotFound", "the server could not find the requested resource")

    with FakeApi(script) as api:
        source = open_at(api.url)
        gather(source, Want("HorizontalPodAutoscaler", "shop"))

    assert names(source, "HorizontalPodAutoscaler") == ["web"]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (faults.group_missing("metrics.k8s.io"), "metrics-server is not installed"),
        (
            Fault(
                503,
                "ServiceUnavailable",
                "the server is currently unable to handle the request",
                paths=("/apis/metrics.k8s.io",),
            ),
            "metrics-server does not respond: "
            "the server returned 503 (the server is currently unable to handle the request)",
        ),
    ],
)
def test_metrics_that_are_not_there_are_a_gap(fault: Fault, why: str) -> None:
    with live(fault) as (source, _):
        gather(source, Want("PodMetrics", "shop"))

    assert source.snapshot.refusal(Want("PodMetrics", "shop")) == why


def test_custom_resources_are_found_by_discovery() -> None:
    definition = make(
        "CustomResourceDefinition",
        "virtualservices.networking.istio.io",
        "",
        "apiextensions.k8s.io/v1",
        spec={
            "group": "networking.istio.io",
            "scope": "Namespaced",
            "names": {"kind": "VirtualService", "plural": "virtualservices", "singular": "virtualservice"},
            "versions": [{"name": "v1", "served": True, "storage": True}],
        },
    )
    route = make("VirtualService", "web", "shop", "networking.istio.io/v1", spec={"hosts": ["web"]})
    with live(objects=[*OBJECTS, definition, route]) as (source, _):
        source.list_all(["VirtualService.networking.istio.io", "Gateway.networking.istio.io"])
        (found,) = Cluster(source.snapshot).custom("VirtualService", "networking.istio.io")

    assert found.spec == {"hosts": ["web"]}
    assert found.api_version == "networking.istio.io/v1"


def test_lists_of_secrets_hold_names_and_a_secret_is_read_without_values() -> None:
    with live() as (source, sandbox):
        source.list_all(["Secret"])
        cluster = Cluster(source.snapshot)
        assert names(source, "Secret") == ["db"]
        assert cluster.get(Secret, "shop", "none") is None
        with pytest.raises(NotCollected) as missing:
            cluster.get(Secret, "shop", "db")
        source.gather(frozenset(missing.value.wants))
        found = cluster.get(Secret, "shop", "db")

    assert found is not None
    assert found.data == {"password": ""}
    (asked,) = [request for request in sandbox.requests if request.path == "/api/v1/secrets"]
    assert "PartialObjectMetadataList" in asked.headers["accept"]


def test_events_about_many_objects_of_a_namespace_come_in_one_list() -> None:
    wants = [
        Want("Event", "shop", fields=f"involvedObject.kind=Pod,involvedObject.name=web-{number}")
        for number in range(1, 6)
    ]
    with live() as (source, sandbox):
        gather(source, *wants)

    assert all(source.snapshot.covers(want) for want in wants)
    assert names(source, "Event") == ["e1", "e2"]
    assert len([request for request in sandbox.requests if "events" in request.path]) == 1


def test_refused_events_about_a_node_are_looked_for_where_they_lie() -> None:
    want = Want("Event", fields="involvedObject.kind=Node,involvedObject.name=n1")
    with live(faults.forbidden("events", namespaces=("",))) as (source, _):
        gather(source, want)

    assert names(source, "Event") == ["e3"]
    assert source.snapshot.limitation(want).startswith("only namespace default could be read: ")


def test_the_server_gives_the_time_and_a_wrong_clock_is_said(open_at: Open) -> None:
    then = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    dated = f"Date: {format_datetime(then, usegmt=True)}\r\n"
    with FakeApi(lambda _: response({"items": []}, extra=dated)) as api:
        source = open_at(api.url)
        gather(source, SHOP_PODS)

    assert source.snapshot.taken_at == then
    assert source.snapshot.problems == [
        "the clock of this machine is 120m behind the API server; ages use the clock of the API server"
    ]


@pytest.mark.parametrize(("same", "sentence"), [(True, "the same chunk"), (False, "empty chunks")])
def test_a_list_that_never_ends_is_broken_off(same: bool, sentence: str, open_at: Open) -> None:
    with FakeApi(
        lambda asked: (
            response({"gitVersion": "v1.37.0"})
            if asked.path == "/version"
            else listing("a", token="t")
            if same
            else listing(token=str(time.monotonic_ns()))
        )
    ) as api:
        source = open_at(api.url)
        gather(source, SHOP_PODS)
        assert len(api.asked) < 20

    assert f"the server keeps returning {sentence}" in source.snapshot.limitation(SHOP_PODS)


def test_what_is_no_object_is_left_out_and_told(open_at: Open) -> None:
    items = [{"metadata": {"name": "a", "namespace": "shop"}, "spec": {"containers": None}}, 7, None]
    body = {"kind": "PodList", "apiVersion": "v1", "items": items}
    with FakeApi(lambda _: response(body)) as api:
        source = open_at(api.url)
        gather(source, SHOP_PODS)

    assert names(source, "Pod") == ["a"]
    assert len(source.snapshot.problems) == 2
    assert source.snapshot.losses("Pod") == tuple(source.snapshot.problems)


def test_nearest_names_cost_no_content() -> None:
    with live() as (source, sandbox):
        assert source.names("Pod", "shop") == ("web-1", "web-2")
        assert source.names("Node") == ("n1",)

    assert all("PartialObjectMetadataList" in request.headers["accept"] for request in sandbox.requests)


def test_the_whole_object_is_shown_without_secrets() -> None:
    with live() as (source, _):
        shown = source.raw(Ref("Secret", "shop", "db"))
        assert source.raw(Ref("Secret", "shop", "none")) is None
        [(_, listed)] = source.recordable(["Secret"])

    assert isinstance(listed, Recordable)
    assert "aHVudGVyMg" not in json.dumps(shown)
    assert "aHVudGVyMg" not in listed.body.decode()
    assert shown is not None
    assert shown["data"] == {"password": ""}
    written = json.loads(listed.body)
    assert (written["kind"], written["apiVersion"], written["data"]) == ("Secret", "v1", {"password": ""})


def test_a_refused_list_of_whole_objects_says_so() -> None:
    with live(faults.forbidden("secrets")) as (source, _):
        [(_, refused)] = source.recordable(["Secret"], "shop")

    assert isinstance(refused, CannotSee)
    assert refused.why == "list secrets in shop is forbidden"


def test_the_collector_of_garbage_runs_again_whatever_happens(open_at: Open) -> None:
    assert gc.isenabled()
    with live() as (source, _):
        source.list_all(["Pod"])
    assert gc.isenabled()
    with FakeApi(lambda _: reset) as api, pytest.raises(Exception, match="connection"):
        open_at(api.url).list_all(["Pod"])
    assert gc.isenabled()
    gc.unfreeze()
