"""The server on loopback: its token, its folder, its streams."""

from __future__ import annotations

import http.client
import json
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from kubedoctor.sandbox import Sandbox, SandboxServer, SandboxState, serve
from kubedoctor.sandbox.faults import cut_short, slow, throttled, watch_drops
from tests.sandbox.conftest import NOON, objects, pod


@pytest.fixture
def served() -> Iterator[SandboxServer]:
    state = SandboxState(objects(), {"shop/web-1/app": {"current": "one\n"}}, namespace="shop")
    with serve(Sandbox(state, clock=lambda: NOON)) as running:
        yield running


@contextmanager
def _open(
    served: SandboxServer, path: str, *, token: bool = True, headers: dict[str, str] | None = None
) -> Iterator[http.client.HTTPResponse]:
    url = urlsplit(served.url)
    connection = http.client.HTTPConnection(url.netloc, timeout=20)
    connection.request("GET", f"{url.path}{path}" if token else path, headers=headers or {})
    response = connection.getresponse()
    try:
        yield response
    finally:
        response.close()
        connection.close()


def _get(
    served: SandboxServer, path: str, *, token: bool = True, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    with _open(served, path, token=token, headers=headers) as response:
        body = response.read()
    return response.status, json.loads(body) if body[:1] == b"{" else body.decode()


def test_it_answers_on_loopback_only(served: SandboxServer) -> None:
    code, found = _get(served, "/api/v1/namespaces/shop/pods?labelSelector=app%3Dweb")
    assert (code, len(found["items"])) == (200, 2)
    url = urlsplit(served.url)
    assert url.hostname == "127.0.0.1"
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.2", url.port)) != 0


@pytest.mark.parametrize("path", ["/api/v1/pods", "/x/api/v1/pods", "/", "/openapi/v3", "//version"])
def test_without_the_token_nothing_is_told(served: SandboxServer, path: str) -> None:
    code, status = _get(served, path, token=False)
    assert (code, status["reason"]) == (403, "Forbidden")
    assert "does not begin with this server's token" in status["message"]


def test_health_and_version_need_no_token(served: SandboxServer) -> None:
    assert _get(served, "/readyz", token=False) == (200, "ok")
    assert _get(served, "/version", token=False)[1]["gitVersion"] == "v1.37.2"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_web_pages_are_not_served(served: SandboxServer, headers: dict[str, str]) -> None:
    code, status = _get(served, "/api/v1/pods", headers=headers)
    assert (code, status["message"]) == (403, "Only connections from this machine are served.")
    assert _get(served, "/version", token=False, headers=headers)[0] == 403


def test_each_server_has_a_token_of_its_own(served: SandboxServer) -> None:
    with serve(SandboxState(objects())) as other:
        tokens = {urlsplit(each.url).path for each in (served, other)}
    assert len(tokens) == 2
    assert all(len(each) >= 33 for each in tokens)  # A slash and 24 bytes in base64.


def test_the_kubeconfig_is_private_and_goes(served: SandboxServer) -> None:
    folder = served.kubeconfig.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(served.kubeconfig.stat().st_mode) == 0o600
    configuration = yaml.safe_load(served.kubeconfig.read_text())
    assert configuration["current-context"] == "kubedoctor-demo"
    assert configuration["contexts"][0]["context"]["namespace"] == "shop"
    assert configuration["clusters"][0]["cluster"]["server"] == served.url
    assert served.environment["KUBECONFIG"] == str(served.kubeconfig)
    assert served.environment["KUBECACHEDIR"].startswith(str(folder))
    served.stop()
    assert not folder.exists()
    served.stop()


def test_a_watch_goes_on_until_the_server_stops(served: SandboxServer) -> None:
    with _open(served, "/api/v1/namespaces/shop/pods?watch=true") as response:
        assert [json.loads(response.readline())["type"] for _ in range(2)] == ["ADDED", "ADDED"]
        served.sandbox.put(pod("web-3"))
        assert json.loads(response.readline())["object"]["metadata"]["name"] == "web-3"
        stopping = threading.Thread(target=served.stop)
        stopping.start()
        assert response.readline() == b""
        stopping.join()


def test_a_watch_ends_in_order_when_its_time_is_over(served: SandboxServer) -> None:
    with _open(served, "/api/v1/nodes?watch=true&timeoutSeconds=1") as response:
        assert len(response.read().splitlines()) == 1


def test_a_watch_that_drops_breaks_the_connection(served: SandboxServer) -> None:
    served.sandbox.faults.append(watch_drops("nodes", after_events=1))
    broken = pytest.raises((http.client.IncompleteRead, ConnectionResetError))
    with _open(served, "/api/v1/nodes?watch=true") as response, broken:
        response.read()


def test_a_body_that_is_cut_short_breaks_the_connection(served: SandboxServer) -> None:
    served.sandbox.faults.append(cut_short("nodes", after_bytes=9))
    broken = pytest.raises((http.client.IncompleteRead, ConnectionResetError))
    with _open(served, "/api/v1/nodes") as response, broken:
        response.read()


def test_the_watch_of_a_client_that_went_is_forgotten(served: SandboxServer) -> None:
    with _open(served, "/api/v1/nodes?watch=true") as response:
        response.readline()
    for _ in range(1000):
        if not served._streams:
            break
        time.sleep(0.01)
    assert not served._streams


def test_a_followed_log(served: SandboxServer) -> None:
    with _open(served, "/api/v1/namespaces/shop/pods/web-1/log?follow=true") as response:
        assert response.readline() == b"one\n"
        served.sandbox.append_log("shop", "web-1", "app", "two\n")
        assert response.readline() == b"two\n"


def test_faults_have_their_headers_and_their_delay(served: SandboxServer) -> None:
    served.sandbox.faults += [throttled("pods", retry_after=7), slow("nodes", seconds=0.05)]
    with _open(served, "/api/v1/pods") as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
    assert _get(served, "/api/v1/nodes")[0] == 200


def test_the_official_client_reads_it(served: SandboxServer) -> None:
    import kubernetes

    official: Any = kubernetes  # Its own annotations are incomplete.
    with official.config.new_client_from_config(str(served.kubeconfig)) as api:
        core = official.client.CoreV1Api(api)
        listed = json.loads(core.list_namespaced_pod("shop", _preload_content=False).data)
        assert [each["metadata"]["name"] for each in listed["items"]] == ["web-1", "web-2"]
        assert core.read_namespaced_pod_log("web-1", "shop") == "one\n"
        with pytest.raises(official.client.ApiException) as refused:
            core.delete_namespaced_pod("web-1", "shop")
    assert refused.value.status == 405
