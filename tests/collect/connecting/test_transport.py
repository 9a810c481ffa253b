"""What may leave the process, and how often it is tried."""

from __future__ import annotations

import ast
from pathlib import Path
from urllib.parse import parse_qs

import pytest

import kubedoctor
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import KINDS
from kubedoctor.cluster.seen.wants import LogWant, Want
from kubedoctor.collect.connecting.connection import connect
from kubedoctor.collect.connecting.paths import REVIEWS, NotARead, check_is_read, segment
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.collect.options import Options
from kubedoctor.problems import ConnectionProblem
from tests.collect.certificates import make, server_side
from tests.collect.conftest import Open
from tests.collect.fake_api import Answer, Asked, FakeApi, kubeconfig, listing, refusal, reset, response, truncated

PACKAGE = Path(kubedoctor.__file__).parent
OBJECT = "/api/v1/namespaces/shop/pods/web"


def test_every_kind_can_be_read() -> None:
    for row in KINDS:
        for path in (row.path(), row.path("shop"), row.path("shop", segment("system:a b")), row.path(None, "x")):
            check_is_read("GET", path)
    for path in ("/", "/version", "/apis", f"{OBJECT}/log", "/readyz", "/api/v1/namespaces/log"):
        check_is_read("GET", path)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "get", "post", ""])
@pytest.mark.parametrize("path", [OBJECT, "/version", *sorted(REVIEWS)])
def test_other_verbs_do_not_leave(method: str, path: str) -> None:
    with pytest.raises(NotARead):
        check_is_read(method, path)


@pytest.mark.parametrize(
    "path",
    [
        OBJECT,
        f"{OBJECT}/eviction",
        f"{OBJECT}/exec",
        "/api/v1/namespaces/shop/serviceaccounts/default/token",
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        "/apis/authorization.k8s.io/v1/namespaces/shop/localsubjectaccessreviews",
        "/apis/authentication.k8s.io/v1/tokenreviews",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews/../../../api/v1/pods",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?dryRun=All",
        "",
    ],
)
def test_other_posts_do_not_leave(path: str) -> None:
    with pytest.raises(NotARead):
        check_is_read("POST", path)


@pytest.mark.parametrize(
    "path",
    [
        f"{OBJECT}/exec",
        f"{OBJECT}/attach",
        f"{OBJECT}/portforward",
        f"{OBJECT}/proxy",
        f"{OBJECT}/proxy/metrics",
        "/api/v1/nodes/n1/proxy/run/shop/web/app",
        "/api/v1/nodes/n1/proxy/stats/summary/shop",
        "/api/v1/nodes/n1/proxy/run/proxy/stats/summary",
        "/api/v1/namespaces/shop/pods/n1/proxy/stats/summary",
        "/api/v1/namespaces/shop/services/web:80/proxy/admin",
        "/apis/subresources.kubevirt.io/v1/namespaces/shop/virtualmachineinstances/vm/portforward",
        "/api/v1/namespaces/shop/pods/../../secrets",
        "/api/v1/namespaces/shop/pods/./x",
        "/api/v1//pods",
        "/api/v1/namespaces/shop/pods/a%2Fexec",
        "/api/v1/pods?watch=true",
        "/api/v1/pods#x",
        "/api/v1/pods\r\nX: y",
        "api/v1/pods",
        "http://elsewhere/api",
        "",
    ],
)
def test_gets_that_do_more_than_read_do_not_leave(path: str) -> None:
    with pytest.raises(NotARead):
        check_is_read("GET", path)


def test_of_a_proxy_only_what_a_kubelet_measured_is_read() -> None:
    check_is_read("GET", "/api/v1/nodes/ip-10-0-0-1.ec2.internal/proxy/stats/summary")
    with pytest.raises(NotARead):
        check_is_read("POST", "/api/v1/nodes/n1/proxy/stats/summary")


def test_nothing_arrives_of_what_is_not_a_read(open_at: Open) -> None:
    with FakeApi(lambda _: response({})) as api:
        transport = open_at(api.url).transport
        for attempt in (
            lambda: transport.get(f"{OBJECT}/exec"),
            lambda: transport.stream(f"{OBJECT}/attach", {}, idle=1),
            lambda: transport.review("/api/v1/namespaces/shop/pods", {}),
        ):
            with pytest.raises(NotARead):
                attempt()
        transport.get("/version")

    assert [(asked.method, asked.path) for asked in api.asked] == [("GET", "/version")]


def test_requests_leave_in_one_place_only() -> None:
    """No other module of the package imports a library that sends, or what carries requests; the transport sends in one
    function."""
    senders = {"urllib3", "http", "socket", "requests", "aiohttp", "httpx", "kubernetes", "websocket"}
    carriers = {"kubedoctor.collect.connecting.direct", "kubedoctor.collect.connecting.proxied"}
    importing, carried = set(), set()
    for path in sorted((PACKAGE / "collect").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.partition(".")[0] in senders for name in names):
                importing.add(path.name)
            if carriers & set(names):
                carried.add(path.name)
    assert importing <= {"direct.py", "proxied.py", "answers.py"}  # the last knows the errors only
    assert carried == {"transport.py", "reaching.py"}
    (greeting,) = [
        [alias.name for alias in node.names]
        for node in ast.walk(ast.parse((PACKAGE / "collect/doctor/reaching.py").read_text()))
        if isinstance(node, ast.ImportFrom) and node.module in carriers
    ]
    assert greeting == ["greet"]  # which sends no request
    calls = [
        function.name
        for function in ast.walk(ast.parse((PACKAGE / "collect/connecting/transport.py").read_text()))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and node.attr in ("send", "urlopen", "request", "connect")
    ]
    assert calls == ["_send"]


def answers(*scripted: Answer) -> FakeApi:
    """One answer after the other; the last one again and again."""
    left = list(scripted)
    return FakeApi(lambda _: left.pop(0) if len(left) > 1 else left[0])


@pytest.mark.parametrize(
    "trouble",
    [
        refusal(429, "TooManyRequests", "slow down", "Retry-After: 1\r\n"),
        refusal(500, "InternalError", "etcdserver: request timed out"),
        response(b"<html>bad gateway</html>", "502 Bad Gateway", "text/html"),
        refusal(503, "ServiceUnavailable", "x"),
        truncated,
        reset,
    ],
    ids=["429", "500", "502", "503", "truncated", "reset"],
)
def test_trouble_that_passes_is_not_seen(trouble: Answer, open_at: Open) -> None:
    with answers(trouble, trouble, response({"ok": 1})) as api:
        assert open_at(api.url).transport.get("/version") == b'{"ok": 1}'

    assert len(api.asked) == 3


def test_retry_after_is_heeded_within_bounds(tmp_path: Path) -> None:
    waits: list[float] = []
    patient = refusal(429, "TooManyRequests", "slow down", "Retry-After: 3\r\n")
    rude = refusal(429, "TooManyRequests", "slow down", "Retry-After: 9999\r\n")
    with answers(patient, rude, response({})) as api:
        path = kubeconfig(tmp_path / "config", api.url)
        transport = Transport(connect(Options(kubeconfig=path), {}), pause=waits.append)
        transport.get("/version")
        transport.close()

    assert 3 <= waits[0] < 4
    assert 10 <= waits[1] < 13


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 410, 422])
def test_refusals_are_not_asked_again(status: int, open_at: Open) -> None:
    with FakeApi(lambda _: refusal(status, "Reason", "words")) as api, pytest.raises(ApiRefusal) as raised:
        open_at(api.url).transport.get("/version")

    assert (raised.value.status, raised.value.reason, raised.value.message) == (status, "Reason", "words")
    assert len(api.asked) == 1


def test_tries_are_bounded(open_at: Open) -> None:
    with FakeApi(lambda _: refusal(500, "InternalError", "no")) as api, pytest.raises(ApiRefusal):
        open_at(api.url).transport.get("/version")

    assert len(api.asked) == 5


def test_escape_sequences_in_a_refusal_are_shown(open_at: Open) -> None:
    with FakeApi(lambda _: refusal(404, "NotFound", "\x1b]0;owned\x07")) as api, pytest.raises(ApiRefusal) as raised:
        open_at(api.url).transport.get("/version")

    assert raised.value.message == r"\x1b]0;owned\x07"


def test_every_request_says_who_asks_and_as_whom(open_at: Open) -> None:
    with FakeApi(lambda _: response({})) as api:
        open_at(api.url, as_user="joe", as_groups=("devs", "ops")).transport.get("/version")

    headers = api.asked[0].headers
    assert headers["user-agent"] == [f"kubedoctor/{kubedoctor.__version__}"]
    assert headers["impersonate-user"] == ["joe"]
    assert headers["impersonate-group"] == ["devs", "ops"]


def test_credentials_are_not_sent_in_the_clear(open_at: Open) -> None:
    with FakeApi(lambda _: response({})) as api:
        open_at(api.url, user={"token": "secret"}).transport.get("/version")

    assert "authorization" not in api.asked[0].headers


def test_a_redirect_is_not_followed(open_at: Open) -> None:
    elsewhere = FakeApi(lambda _: response({}))
    moved = response(b"", "307 Temporary Redirect", extra=f"Location: {elsewhere.url}/version\r\n")
    with elsewhere, FakeApi(lambda _: moved) as api, pytest.raises(ConnectionProblem):
        open_at(api.url).transport.get("/version")

    assert elsewhere.asked == []


def test_a_plugin_is_asked_again_when_its_token_is_not_accepted(open_at: Open, tmp_path: Path) -> None:
    plugin = tmp_path / "login"
    plugin.write_text(
        '#!/bin/sh\necho x >> "$COUNT"\nn=$(wc -l < "$COUNT" | tr -d " ")\n'
        'echo "{\\"apiVersion\\": \\"client.authentication.k8s.io/v1\\", \\"kind\\": \\"ExecCredential\\",'
        ' \\"status\\": {\\"token\\": \\"t$n\\"}}"\n'
    )
    plugin.chmod(0o755)
    execute = {"command": str(plugin), "apiVersion": "client.authentication.k8s.io/v1"}
    execute["env"] = [{"name": "COUNT", "value": str(tmp_path / "count")}]  # type: ignore[assignment]  # the other values of the plug-in are texts

    def script(asked: Asked) -> Answer:
        accepted = asked.headers.get("authorization") == ["Bearer t2"]
        return response({}) if accepted else refusal(401, "Unauthorized", "Unauthorized")

    certificate, key = make(tmp_path, "server")
    with FakeApi(script, server_side(certificate, key)) as api:
        source = open_at(api.url, user={"exec": execute}, cluster={"certificate-authority": str(certificate)})
        source.transport.get("/version")
        source.transport.get("/version")

    assert [asked.headers["authorization"] for asked in api.asked] == [["Bearer t1"], ["Bearer t2"], ["Bearer t2"]]


def test_names_and_selectors_are_quoted(open_at: Open) -> None:
    with FakeApi(lambda _: listing()) as api:
        open_at(api.url).gather(
            frozenset({Want("Pod", "a?b#c", labels="app in (a,b)"), Want("ClusterRole", "", "system:x y")})
        )

    asked = {each.path: parse_qs(each.query) for each in api.asked}
    assert asked["/api/v1/namespaces/a%3Fb%23c/pods"]["labelSelector"] == ["app in (a,b)"]
    assert "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Ax%20y" in asked


@pytest.mark.parametrize("name", ["web/exec", "..", ".", "web%2Fexec", "web/../../secrets/db"])
def test_names_that_no_object_can_have_are_not_asked_for(name: str, open_at: Open) -> None:
    wants: frozenset[Want | LogWant] = frozenset(
        {Want("Pod", "shop", name), Want("Pod", name), LogWant("shop", name, "app")}
    )
    with FakeApi(lambda _: response({})) as api:
        source = open_at(api.url)
        source.gather(wants)
        assert source.raw(Ref("Pod", "shop", name)) is None

    assert {asked.path for asked in api.asked} == {"/version"}
    assert all(source.snapshot.covers(want) for want in wants if isinstance(want, Want))


def test_a_pause_that_ends_after_the_time_for_a_request_is_not_made(tmp_path: Path) -> None:
    with FakeApi(lambda _: refusal(429, "TooManyRequests", "slow down", "Retry-After: 3600\r\n")) as api:
        path = kubeconfig(tmp_path / "config", api.url)
        options = Options(kubeconfig=path, request_timeout="2s")
        transport = Transport(connect(options, {}), pause=lambda seconds: pytest.fail(f"waits {seconds} s"))
        with pytest.raises(ApiRefusal) as raised:
            transport.get("/version")
        transport.close()
    assert raised.value.clause == "the server returned 429 (slow down) and asks to wait 60m"
    assert len(api.asked) == 1
