"""Signs that a Service leads to a port on which nothing listens."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster import Cluster, LogTail, LogWant, Pod, Ref, Service
from kubedoctor.replay.services.refusals import WrongNumber, refused_by, wrong_number
from tests.engine.clinic import complete


def service(target: object, *, protocol: str = "TCP", name: str = "web") -> dict[str, Any]:
    port = {"port": 80, "targetPort": target, "protocol": protocol}
    spec = {"clusterIP": "10.96.1.1", "selector": {"app": "web"}, "ports": [port]}
    return {"kind": "Service", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def pod(
    name: str, *, ports: tuple[int, ...] = (8080,), probe: object = 8080, ready: bool = True, env: str = ""
) -> dict[str, Any]:
    container = {
        "name": "app",
        "image": "web:1",
        "ports": [{"name": f"p{number}", "containerPort": number, "protocol": "TCP"} for number in ports],
        "readinessProbe": {"httpGet": {"path": "/", "port": probe}},
        "env": [{"name": "TARGET", "value": env}],
    }
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": name.partition("-")[0]}},
        "spec": {"nodeName": "n1", "containers": [container]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def judged(one: dict[str, Any], *pods: dict[str, Any], others: tuple[dict[str, Any], ...] = ()) -> WrongNumber | None:
    cluster = Cluster(complete(one, *others, *pods))
    found = cluster.get(Service, "shop", "web")
    assert found is not None
    assert found.spec.ports is not None
    return wrong_number(found, found.spec.ports[0], list(cluster.all(Pod, "shop")), cluster)


def test_a_declared_port_answers_the_probe_and_the_target_is_declared_by_no_pod() -> None:
    assert judged(service(9090), pod("web-1"), pod("web-2")) == WrongNumber(9090, (8080,), "app", False)
    assert judged(service(9090), pod("web-1", probe="p8080")) == WrongNumber(9090, (8080,), "app", False)


@pytest.mark.parametrize(
    ("one", "pods"),
    [
        (service(8080), [pod("web-1")]),
        (service("p8080"), [pod("web-1")]),
        (service(9090), [pod("web-1"), pod("web-2", ports=(9090,))]),
        (service(9090), [pod("web-1", ports=())]),
        (service(9090), [pod("web-1", ready=False)]),
        (service(9090), [pod("web-1", probe=7070)]),
        (service(9090, protocol="UDP"), [pod("web-1")]),
        (service("unknown"), [pod("web-1")]),
    ],
)
def test_no_sign_where_the_number_may_be_right(one: dict[str, Any], pods: list[dict[str, Any]]) -> None:
    assert judged(one, *pods) is None


def test_another_service_may_lead_to_the_declared_port() -> None:
    found = judged(service(9090), pod("web-1"), others=(service(8080, name="other"),))
    assert found is not None
    assert found.others_lead_there


CLIENT = LogWant("shop", "cart-1", "app", False)
REFUSED = "dial tcp web.shop.svc:80: connect: connection refused"


def refused(*lines: str, env: str = "http://web:80", ready: bool = False) -> int | None:
    """The line that tells of the refusal, in the log of a client that names the Service."""
    snapshot = complete(service(9090), pod("web-1"), pod("cart-1", env=env, ready=ready))
    snapshot.add_log(CLIENT, LogTail(Ref("Pod", "shop", "cart-1"), "app", previous=False, lines=lines))
    snapshot.add_log(LogWant("shop", "cart-1", "app", True), None)
    cluster = Cluster(snapshot)
    found = cluster.get(Service, "shop", "web")
    own = cluster.get(Pod, "shop", "web-1")
    assert found is not None
    assert found.spec.ports is not None
    assert own is not None
    refusal = refused_by(found, found.spec.ports[0], (own,), cluster)
    return None if refusal is None else refusal.index


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((REFUSED,), 0),
        ((REFUSED, "retry", REFUSED, "bye"), 2),
        (("10.96.1.1:80: connection refused",), 0),
        (("web.shop.svc.cluster.local:80 ECONNREFUSED", "bye"), 0),
        (("web:8080: connection refused",), None),
        (("my-web:80: connection refused",), None),
        (("connection refused", "web:80 is well"), None),
        (("web:80 is well",), None),
        ((), None),
    ],
)
def test_the_newest_line_that_names_the_service_and_a_refusal(lines: tuple[str, ...], expected: int | None) -> None:
    assert refused(*lines) == expected


def test_only_troubled_pods_that_name_the_service_are_read() -> None:
    assert refused(REFUSED, env="http://web-admin:80") is None
    assert refused(REFUSED, ready=True) is None
