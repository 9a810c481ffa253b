"""Logs that a live source reads: their ends, without secrets; what cannot be read is a gap."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from kubedoctor.cluster import Cluster
from kubedoctor.cluster.seen.wants import READYZ, LogWant, NotCollected, volumes_want
from tests.collect.conftest import Open
from tests.collect.fake_api import Answer, Asked, FakeApi, refusal, response
from tests.collect.served import gather, live


def test_logs_are_read_without_secrets() -> None:
    want, previous = LogWant("shop", "web-1", "app"), LogWant("shop", "web-1", "app", previous=True)
    gone = LogWant("shop", "gone", "app")
    with live() as (source, sandbox):
        gather(source, want, previous, gone)

    tail = source.snapshot.log(want)
    assert tail is not None
    assert tail.lines == ("one", "url http://joe:<redacted>@db/x", "three")
    assert not tail.truncated
    assert source.snapshot.log(previous) is None
    assert source.snapshot.log(gone) is None
    (asked,) = [
        request for request in sandbox.requests if request.path.endswith("web-1/log") and not request.flag("previous")
    ]
    assert asked.query == {"container": "app", "tailLines": "200", "limitBytes": "65536"}


def test_too_many_logs_are_a_gap() -> None:
    wants = [LogWant("shop", f"p{number:02}", "app") for number in range(60)]
    with live() as (source, sandbox):
        gather(source, *wants)

    refused = [want for want in wants if source.snapshot.refusal(want)]
    assert refused == wants[50:]
    assert source.snapshot.refusal(wants[59]) == "too many logs: only 50 were read"
    assert len([request for request in sandbox.requests if request.path.endswith("/log")]) == 50


def test_a_log_of_long_lines_ends_with_the_newest(open_at: Open) -> None:
    lines = [f"{number} {'x' * 1000}" for number in range(200)]

    def script(asked: Asked) -> Answer:
        query = parse_qs(asked.query)
        tail = "\n".join(lines[-int(query["tailLines"][0]) :]) + "\n" if query else "{}"
        return response(tail.encode()[: int(query.get("limitBytes", ["9"])[0])], content_type="text/plain")

    want = LogWant("shop", "web", "app")
    with FakeApi(script) as api:
        source = open_at(api.url)
        gather(source, want)

    tail = source.snapshot.log(want)
    assert tail is not None
    assert tail.truncated
    assert tail.lines[-1] == lines[-1]


def test_a_log_that_the_kubelet_cannot_give_is_a_gap_or_nothing(open_at: Open) -> None:
    answers = {
        "a": refusal(500, "InternalError", "Get https://10.0.0.1:10250: dial tcp: connection refused"),
        "b": refusal(400, "BadRequest", 'container "app" in pod "b" is waiting to start: ContainerCreating'),
        "c": response(b"unable to retrieve container logs for containerd://abc", content_type="text/plain"),
        "d": refusal(403, "Forbidden", "no"),
    }
    with FakeApi(lambda asked: answers.get(asked.path.split("/")[-2], response({}))) as api:
        source = open_at(api.url)
        gather(source, *(LogWant("shop", name, "app") for name in answers))

    wants = {name: LogWant("shop", name, "app") for name in answers}
    assert "connection refused" in source.snapshot.refusal(wants["a"])
    assert source.snapshot.refusal(wants["d"]) == "get pods/log in shop is forbidden"
    assert source.snapshot.log(wants["b"]) is None
    assert source.snapshot.log(wants["c"]) is None


CHECKS = b"[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"


@pytest.mark.parametrize(
    ("answer", "lines", "why"),
    [
        (response(b"[+]ping ok\nreadyz check passed\n", content_type="text/plain"), 2, ""),
        (response(CHECKS, "500 Internal Server Error", content_type="text/plain"), 3, ""),
        (refusal(404, "NotFound", "no such path"), 0, ""),
        (refusal(403, "Forbidden", "no"), 0, "get /readyz is forbidden"),
        (refusal(503, "ServiceUnavailable", "later"), 0, "503"),
    ],
    ids=["passed", "failed", "not there", "forbidden", "unavailable"],
)
def test_the_api_servers_own_checks(open_at: Open, answer: Answer, lines: int, why: str) -> None:
    with FakeApi(lambda asked: answer if asked.path == "/readyz" else response({})) as api:
        source = open_at(api.url)
        gather(source, READYZ)
        assert [asked.query for asked in api.asked if asked.path == "/readyz"] == ["verbose=true"]

    assert why in source.snapshot.refusal(READYZ)
    if why:
        assert (Cluster(source.snapshot).readyz(), bool(source.snapshot.refusal(READYZ))) == (None, True)
        return
    tail = source.snapshot.log(READYZ)
    assert len(tail.lines if tail is not None else ()) == lines


SUMMARY = b'{"pods": [{"volume": [{"pvcRef": {"name": "data", "namespace": "shop"}, "capacityBytes": 8, "availableBytes": 1}]}]}'


@pytest.mark.parametrize(
    ("answer", "lines", "why"),
    [
        (response(SUMMARY), ("shop/data capacityBytes=8 availableBytes=1",), ""),
        (refusal(403, "Forbidden", "no"), None, "get the volumes of node n1 is forbidden"),
        (refusal(404, "NotFound", "no such node"), None, "no such node"),
        (refusal(503, "ServiceUnavailable", "no kubelet"), None, "no kubelet"),
    ],
    ids=["measured", "forbidden", "not there", "unavailable"],
)
def test_the_volumes_of_a_node(open_at: Open, answer: Answer, lines: tuple[str, ...] | None, why: str) -> None:
    with FakeApi(lambda asked: answer if asked.path.endswith("/stats/summary") else response({})) as api:
        source = open_at(api.url)
        gather(source, volumes_want("n1"))
        assert [asked.path for asked in api.asked if "/proxy/" in asked.path] == [
            "/api/v1/nodes/n1/proxy/stats/summary"
        ]

    cluster = Cluster(source.snapshot)
    tail = cluster.volumes_of_node("n1")
    assert (tail.lines if tail is not None else None, cluster.gaps) == (lines, set())
    assert why in source.snapshot.refusal(volumes_want("n1"))


def test_where_one_node_is_forbidden_no_other_is_asked(open_at: Open) -> None:
    answer = refusal(403, "Forbidden", "no")
    with FakeApi(lambda asked: answer if asked.path.endswith("/stats/summary") else response({})) as api:
        source = open_at(api.url)
        cluster = Cluster(source.snapshot)
        with pytest.raises(NotCollected, match="node n1"):
            cluster.volumes_of_node("n2", first="n1")
        gather(source, volumes_want("n1"))
        assert cluster.volumes_of_node("n2", first="n1") is None
