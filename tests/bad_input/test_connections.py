"""Kubeconfigs, addresses, certificates and flags that lead nowhere."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from kubedoctor.sandbox import serve
from kubedoctor.sandbox.exchange import Request
from kubedoctor.sandbox.faults import slow
from tests.bad_input.said import say
from tests.bad_input.sick import finds_the_cause, hasty, sandbox
from tests.collect.certificates import make, server_side
from tests.collect.fake_api import Asked, FakeApi, kubeconfig, refusal, response

__all__ = ["hasty"]
Capture = pytest.CaptureFixture[str]
NO_CONFIG = "kubedoctor demo"
CONTEXT = "current-context: p\ncontexts: [{name: p, context: {cluster: c}}]\nclusters: [{name: c, cluster: {%s}}]\n"
KUBECONFIGS = {
    "broken YAML": ("a: b\n c: d: e\n", "is not valid: line 2, column 3", "kubectl config view"),
    "an escape sequence": ("a: \x1b[31m\n", "is not valid: ", "kubectl config view"),
    "not a mapping": ("- a\n", "the top level is not a mapping", "kubectl config view"),
    "nothing in it": ("", "no context", "--kubeconfig=FILE"),
    "no current context": ("contexts: [{name: prod, context: {}}]\n", "no current context is set", "Contexts: prod"),
    "no server": (CONTEXT % "", "has no server", "kubectl config set-cluster c --server="),
    "an address that is none": (CONTEXT % "server: 'nonsense'", "is not a URL", "https://"),
    "a name that does not resolve": (
        CONTEXT % "server: 'https://api.cluster.invalid:6443'",
        "host name api.cluster.invalid cannot be resolved",
        "Is the VPN up",
    ),
    "an authority that is not there": (
        CONTEXT % "server: 'https://127.0.0.1:1', certificate-authority: gone.crt",
        "certificate-authority of cluster c",
        "Get a new kubeconfig",
    ),
}
BOTH = pytest.mark.parametrize("words", [("scan",), ("deploy", "checkout", "-n", "shop")], ids=["scan", "deploy"])


@BOTH
@pytest.mark.parametrize("name", KUBECONFIGS)
def test_kubeconfigs(name: str, words: tuple[str, ...], capsys: Capture, tmp_path: Path) -> None:
    text, sentence, hint = KUBECONFIGS[name]
    path = tmp_path / "config"
    path.write_text(text)
    said = say(capsys, *words, "--kubeconfig", str(path))
    assert said.code == 2
    assert sentence in said.text
    assert hint in said.text


ENVIRONMENTS = {
    "no kubeconfig": ({}, (), "no kubeconfig: ~/.kube/config does not exist", NO_CONFIG),
    "one that is not there": ({"KUBECONFIG": "/nowhere"}, (), "no kubeconfig: /nowhere", NO_CONFIG),
    "separators alone": ({"KUBECONFIG": ":::"}, (), "no kubeconfig: ::: does not exist", NO_CONFIG),
    "a folder": ({"KUBECONFIG": "/"}, (), "kubeconfig / cannot be read: Is a directory", "ls -l /"),
    "a flag that names nothing": ({}, ("--kubeconfig", "/nowhere"), "/nowhere does not exist", "--kubeconfig"),
    "a context without a kubeconfig": ({}, ("--context", "prod"), "no context prod", "--kubeconfig=FILE"),
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_where_no_kubeconfig_is(name: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, flags, sentence, hint = ENVIRONMENTS[name]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    said = say(capsys, "scan", *flags)
    assert said.code == 2
    assert sentence in said.text
    assert hint in said.text


FLAGS = {
    "a wrong context": (("scan", "--context", "kubedoctor-dmo"), "no context", "kubedoctor-demo?"),
    "a wrong namespace": (("scan", "-n", "shp"), "namespace shp not found in kubedoctor-demo", "did you mean shop?"),
    "a namespace unlike any": (("scan", "-n", "\x1b[2J"), r"namespace \x1b[2J not found", "Namespaces: default, "),
    "a path as a name": (("deploy", "../../x", "-n", "shop"), "Deployment ../../x not found", "There are 4"),
    "a blank in a name": (("pod", "a b", "-n", "shop"), "Pod a b not found in namespace shop", "There are 8"),
    "an escape in a name": (
        ("pod", "a\x1b[31m", "-n", "shop"),
        r"Pod a\x1b[31m not found in namespace shop",
        "There are 8",
    ),
    "an empty name": (("pod", ""), "a name is empty", "kubedoctor pod NAME"),
    "an empty kind": (("", "x"), "a kind is missing", "--help"),
    "an empty file name": (("scan", "--from", ""), "-f needs a file", "a file, a folder"),
    "a timeout that is none": (
        ("scan", "--request-timeout", "abc"),
        "--request-timeout=abc: 'abc' is not a duration",
        "30s",
    ),
    "a group without a user": (("scan", "--as-group", "x"), "--as-group needs --as", "--as=USER"),
}


@pytest.mark.parametrize("name", FLAGS)
def test_flags_and_names_that_make_no_sense(name: str, capsys: Capture) -> None:
    words, sentence, hint = FLAGS[name]
    with serve(sandbox()) as served:
        said = say(capsys, *words, "--kubeconfig", str(served.kubeconfig))
    assert said.code == 2
    assert sentence in said.text
    assert hint in said.text


@pytest.mark.parametrize("flags", [("--context", ""), ("--as", ""), ("--request-timeout", "0"), ("-l", "")], ids=str)
def test_empty_flags_are_none(flags: tuple[str, str], capsys: Capture) -> None:
    with serve(sandbox()) as served:
        assert finds_the_cause(say(capsys, "scan", "-n", "shop", *flags, "--kubeconfig", str(served.kubeconfig)))


def test_a_server_that_is_not_there(capsys: Capture, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = say(capsys, "scan", "--kubeconfig", kubeconfig(tmp_path / "config", f"https://127.0.0.1:{port}"))
    assert said.code == 2
    assert f"https://127.0.0.1:{port} refuses the connection" in said.err
    assert "Is the cluster running" in said.err


def test_a_server_that_is_too_slow_by_far(capsys: Capture) -> None:
    with serve(sandbox([slow(seconds=0.2)])) as served:
        said = say(capsys, "scan", "--request-timeout", "50ms", "--kubeconfig", str(served.kubeconfig))
    assert said.code == 2
    assert "--request-timeout" in said.err


CERTIFICATES: dict[str, tuple[dict[str, object], bool, str, str]] = {
    "an expired certificate": ({"expired": True}, True, "has expired", "kubeadm certs renew apiserver"),
    "a certificate for another address": (
        {"address": "10.0.0.1"},
        True,
        "is valid for other names only",
        "tls-server-name",
    ),
    "an authority that is not trusted": ({}, False, "is signed by an authority that is not trusted", "authority-data"),
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_certificates(name: str, capsys: Capture, tmp_path: Path) -> None:
    made, trusted, sentence, hint = CERTIFICATES[name]
    certificate, key = make(tmp_path, "server", **made)  # type: ignore[arg-type]  # as the table has it
    cluster = {"certificate-authority": str(certificate)} if trusted else {}
    with FakeApi(lambda _: b"", server_side(certificate, key)) as api:
        said = say(capsys, "scan", "--kubeconfig", kubeconfig(tmp_path / "config", api.url, cluster=cluster))
    assert said.code == 2
    assert sentence in said.text
    assert hint in said.text


def test_an_expired_client_certificate(capsys: Capture, tmp_path: Path) -> None:
    certificate, key = make(tmp_path, "server")
    shown, shown_key = make(tmp_path, "jane", expired=True)
    answer = refusal(401, "Unauthorized", "Unauthorized")
    with FakeApi(lambda _: answer, server_side(certificate, key)) as api:
        config = kubeconfig(
            tmp_path / "config",
            api.url,
            cluster={"certificate-authority": str(certificate)},
            user={"client-certificate": str(shown), "client-key": str(shown_key)},
        )
        said = say(capsys, "deploy", "checkout", "--kubeconfig", config)
    assert said.code == 2
    assert "the client certificate of jane expired at 2021-02-03 04:05 UTC (401)" in said.text


def dated(moment: str) -> Callable[[Asked], bytes]:
    """The sick cluster, behind a server that believes it is this moment."""
    inner = sandbox()

    def answer(asked: Asked) -> bytes:
        query = dict(part.partition("=")[::2] for part in asked.query.split("&") if part)
        headers = {name: values[0] for name, values in asked.headers.items()}
        given = inner.handle(Request(asked.method, asked.path, query, headers, asked.body))
        extra = f"Date: {moment}\r\n"
        return response(given.body, f"{given.code} X", given.content_type, extra)

    return answer


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("moment", "sentence"),
    [
        ("Mon, 15 Jan 2046 10:00:00 GMT", "behind the API server"),
        ("Mon, 15 Jan 2001 10:00:00 GMT", "ahead of the API server"),
    ],
    ids=["the server is ahead", "the server is behind"],
)
def test_clocks_that_differ(moment: str, sentence: str, capsys: Capture, tmp_path: Path) -> None:
    with FakeApi(dated(moment)) as api:
        said = say(capsys, "scan", "-n", "shop", "--kubeconfig", kubeconfig(tmp_path / "config", api.url))
    assert finds_the_cause(said)
    assert sentence in said.text
