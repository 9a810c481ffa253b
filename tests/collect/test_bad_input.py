"""Each bad input of a live cluster with the sentence that it gives: what could not be done, and what to try."""

from __future__ import annotations

import base64
import json
import os
import socket
import threading
from pathlib import Path

import pytest

from kubedoctor.cluster.seen.wants import Want
from kubedoctor.collect.connecting.connection import connect
from kubedoctor.collect.options import Options
from kubedoctor.problems import ConnectionProblem, KubeconfigProblem, LoginProblem, SourceProblem, UsageProblem
from tests.collect.certificates import make, server_side
from tests.collect.conftest import Open
from tests.collect.fake_api import Answer, FakeApi, dripping, kubeconfig, refusal, reset, response, truncated

PODS = frozenset({Want("Pod", "shop")})
KUBECONFIGS = {
    "broken YAML": (
        "a: b\n c: d: e\n",
        "is not valid: line 2, column 3: mapping values are not allowed",
        "kubectl config",
    ),
    "binary": ("\x00\x01", "is not valid: ", "kubectl config"),
    "a list at the top": ("- a\n", "is not valid: the top level is not a mapping", "kubectl config"),
    "contexts are no list": ("contexts: {a: b}\ncurrent-context: a\n", "contexts is not a list", "kubectl config"),
    "an entry without a name": ("contexts: [{context: {}}]\n", "an entry of contexts has no name", "kubectl config"),
    "empty": ("", "no context", "--kubeconfig"),
    "no current context": (
        "contexts: [{name: prod, context: {cluster: c}}]\n",
        "no current context is set in",
        "Contexts: prod",
    ),
    "a context without its cluster": (
        "current-context: p\ncontexts: [{name: p, context: {cluster: prod}}]\nclusters: [{name: prof, cluster: {}}]\n",
        "cluster prod of context p is not in",
        "Did you mean prof?",
    ),
    "a context without its user": (
        "current-context: p\ncontexts: [{name: p, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {}}]\n",
        "user u of context p is not in",
        "Known: none",
    ),
    "a cluster without a server": (
        "current-context: p\ncontexts: [{name: p, context: {cluster: c}}]\nclusters: [{name: c, cluster: {}}]\n",
        "cluster c in",
        "kubectl config set-cluster c --server=",
    ),
    "a server that is not a URL": (
        "current-context: p\ncontexts: [{name: p, context: {cluster: c}}]\n"
        "clusters: [{name: c, cluster: {server: 'ftp://x'}}]\n",
        "server 'ftp://x' in",
        "https://",
    ),
}


@pytest.mark.parametrize("case", KUBECONFIGS)
def test_a_bad_kubeconfig_is_named_with_a_way_out(case: str, tmp_path: Path) -> None:
    text, sentence, hint = KUBECONFIGS[case]
    path = tmp_path / "config"
    path.write_text(text)

    with pytest.raises(KubeconfigProblem) as raised:
        connect(Options(kubeconfig=str(path)), {})

    assert sentence in raised.value.what
    assert str(path) in raised.value.what
    assert hint in raised.value.hint


def test_no_kubeconfig_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(KubeconfigProblem) as raised:
        connect(Options(), {})

    assert raised.value.what == "no kubeconfig: ~/.kube/config does not exist"
    assert "kubedoctor demo" in raised.value.hint


def test_a_kubeconfig_that_was_named_but_does_not_exist() -> None:
    with pytest.raises(KubeconfigProblem, match=r"^kubeconfig /nowhere/config does not exist"):
        connect(Options(kubeconfig="/nowhere/config"), {})


def test_a_wrong_context_lists_the_nearest(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", "https://127.0.0.1:1")

    with pytest.raises(KubeconfigProblem) as raised:
        connect(Options(kubeconfig=path, context="tset"), {})

    assert raised.value.what == f"no context tset in {path}"
    assert raised.value.hint == "Did you mean test?"


USERS = {
    "no certificate file": (
        {"client-certificate": "gone.crt", "client-key": "gone.key"},
        "client-certificate of user jane, {folder}/gone.crt, does not exist",
        "ls -l {folder}",
    ),
    "no base64": (
        {"client-certificate-data": "%%%=a"},
        "client-certificate-data of user jane is not base64",
        "Get a new",
    ),
    "no certificate": (
        {"client-certificate-data": base64.b64encode(b"nonsense").decode()},
        "the client certificate and key of user jane cannot be used: they cannot be read",
        "Get a new",
    ),
    "no token file": ({"tokenFile": "gone"}, "token file {folder}/gone cannot be read: No such file", "ls -l"),
    "exec plug-in missing": (
        {
            "exec": {
                "command": "no-such-login",
                "apiVersion": "client.authentication.k8s.io/v1",
                "installHint": "Get it!",
            }
        },
        "exec plugin no-such-login of user jane is not installed",
        "Get it!",
    ),
    "exec plug-in failing": (
        {
            "exec": {
                "command": "./login",
                "apiVersion": "client.authentication.k8s.io/v1",
                "args": ["--as", "Zq7hunter2x"],
            }
        },
        "exec plugin {folder}/login of user jane failed: it exited with code 3",
        "kubectl get --raw=/version",
    ),
}


@pytest.mark.parametrize("case", USERS)
def test_bad_credentials_are_named_with_a_way_out(case: str, tmp_path: Path, open_at: Open) -> None:
    user, sentence, hint = USERS[case]
    plugin = tmp_path / "login"
    plugin.write_text("#!/bin/sh\necho token Zq7hunter2x is over >&2\nexit 3\n")
    plugin.chmod(0o755)

    with pytest.raises(SourceProblem) as raised:
        open_at("https://127.0.0.1:1", user=user).gather(PODS)

    assert sentence.format(folder=tmp_path) in raised.value.what
    assert hint.format(folder=tmp_path) in raised.value.hint
    assert "Zq7hunter2x" not in str(raised.value), "neither its arguments nor its standard error are printed"


def test_the_port_is_closed(open_at: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(ConnectionProblem) as raised:
        open_at(f"https://127.0.0.1:{port}").gather(PODS)

    assert raised.value.what == f"https://127.0.0.1:{port} refuses the connection"
    assert "Is the cluster running" in raised.value.hint


def test_the_name_is_unknown(open_at: Open) -> None:
    with pytest.raises(ConnectionProblem) as raised:
        open_at("https://api.cluster.invalid:6443").gather(PODS)

    assert raised.value.what == "host name api.cluster.invalid cannot be resolved"
    assert "VPN" in raised.value.hint


ANSWERS: dict[str, tuple[Answer, type[SourceProblem], str, str]] = {
    "a web page": (
        response(b"<!doctype html><title>Log in</title>", content_type="text/html"),
        ConnectionProblem,
        "is not a Kubernetes API server: it returned a web page",
        "proxy or a login page",
    ),
    "a page that is not found": (
        response(b"<html>404</html>", "404 Not Found", "text/html"),
        ConnectionProblem,
        "is not a Kubernetes API server: it returned a web page",
        "Check the server",
    ),
    "a redirect": (
        response(b"", "302 Found", extra="Location: https://login.example.com/\r\n"),
        ConnectionProblem,
        "is not a Kubernetes API server: it returned a redirect",
        "Check the server",
    ),
    "plain text": (
        response(b"hello", content_type="text/plain"),
        ConnectionProblem,
        "is not a Kubernetes API server: it returned 'hello'",
        "Check the server",
    ),
    "an HTTPS port": (
        response(b"Client sent an HTTP request to an HTTPS server.\n", "400 Bad Request", "text/plain"),
        ConnectionProblem,
        "uses HTTPS, but",
        "kubectl config set-cluster here --server=https://127.0.0.1",
    ),
    "a truncated body, always": (
        truncated,
        ConnectionProblem,
        "broke in the middle of a response",
        "Try again",
    ),
    "a reset connection, always": (reset, ConnectionProblem, "the connection to http://127.0.0.1", "Try again"),
    "401": (
        refusal(401, "Unauthorized", "Unauthorized"),
        LoginProblem,
        "rejects the credentials of jane (401)",
        "has no credentials",
    ),
    "impersonation refused": (
        refusal(403, "Forbidden", 'users "joe" is forbidden: User "jane" cannot impersonate resource "users"'),
        LoginProblem,
        "jane may not impersonate joe",
        "--as",
    ),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_a_server_that_cannot_be_used_is_named_with_a_way_out(case: str, open_at: Open) -> None:
    answer, problem, sentence, hint = ANSWERS[case]
    with FakeApi(lambda _: answer) as api, pytest.raises(problem) as raised:
        open_at(api.url).gather(PODS)

    assert sentence in raised.value.what
    assert hint in raised.value.hint


def test_a_server_that_drips_is_given_up(open_at: Open) -> None:
    ended = threading.Event()
    try:
        with FakeApi(lambda _: dripping(ended)) as api, pytest.raises(ConnectionProblem) as raised:
            open_at(api.url, request_timeout="300ms").gather(PODS)
    finally:
        ended.set()

    assert raised.value.what == f"{api.url} did not answer within 0.3s"
    assert "--request-timeout" in raised.value.hint


def test_a_server_that_never_answers_is_given_up(open_at: Open) -> None:
    ended = threading.Event()

    def silent(_: socket.socket) -> None:
        ended.wait(20)

    try:
        with FakeApi(lambda _: silent) as api, pytest.raises(ConnectionProblem) as raised:
            open_at(api.url, request_timeout="200ms").gather(PODS)
    finally:
        ended.set()

    assert raised.value.what == f"{api.url} did not answer within 0.2s"


def test_an_unknown_authority(open_at: Open, tmp_path: Path) -> None:
    certificate, key = make(tmp_path, "server")
    other, _ = make(tmp_path, "other")
    with FakeApi(lambda _: b"", server_side(certificate, key)) as api, pytest.raises(ConnectionProblem) as raised:
        open_at(api.url, cluster={"certificate-authority": str(other)}).gather(PODS)

    assert raised.value.what == f"the certificate of {api.url} is signed by an authority that is not trusted"
    assert "certificate-authority-data of the cluster here" in raised.value.hint


def test_an_expired_server_certificate(open_at: Open, tmp_path: Path) -> None:
    certificate, key = make(tmp_path, "server", expired=True)
    with FakeApi(lambda _: b"", server_side(certificate, key)) as api, pytest.raises(ConnectionProblem) as raised:
        open_at(api.url, cluster={"certificate-authority": str(certificate)}).gather(PODS)

    assert raised.value.what == f"the certificate of {api.url} has expired"
    assert "kubeadm certs renew" in raised.value.hint


def test_a_certificate_for_another_address(open_at: Open, tmp_path: Path) -> None:
    certificate, key = make(tmp_path, "server", address="10.0.0.1")
    with FakeApi(lambda _: b"", server_side(certificate, key)) as api, pytest.raises(ConnectionProblem) as raised:
        open_at(api.url, cluster={"certificate-authority": str(certificate)}).gather(PODS)

    assert raised.value.what == f"the certificate of {api.url} is valid for other names only"


def test_https_to_a_port_without_tls(open_at: Open) -> None:
    with FakeApi(lambda _: b"") as api, pytest.raises(ConnectionProblem) as raised:
        open_at(api.url.replace("http:", "https:")).gather(PODS)

    assert raised.value.what.endswith("does not speak TLS")
    assert "Is it an HTTP address?" in raised.value.hint


def test_an_expired_client_certificate_is_why_the_login_is_refused(open_at: Open, tmp_path: Path) -> None:
    certificate, key = make(tmp_path, "server")
    shown, shown_key = make(tmp_path, "jane", expired=True)
    answer = refusal(401, "Unauthorized", "Unauthorized")
    with FakeApi(lambda _: answer, server_side(certificate, key)) as api, pytest.raises(LoginProblem) as raised:
        open_at(
            api.url,
            cluster={"certificate-authority": str(certificate)},
            user={"client-certificate": str(shown), "client-key": str(shown_key)},
        ).gather(PODS)

    assert raised.value.what.endswith(": the client certificate of jane expired at 2021-02-03 04:05 UTC (401)")


def test_an_expired_token_is_why_the_login_is_refused(open_at: Open, tmp_path: Path) -> None:
    certificate, key = make(tmp_path, "server")
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1612325106}).encode()).decode().rstrip("=")
    answer = refusal(401, "Unauthorized", "Unauthorized")
    with FakeApi(lambda _: answer, server_side(certificate, key)) as api, pytest.raises(LoginProblem) as raised:
        open_at(
            api.url, cluster={"certificate-authority": str(certificate)}, user={"token": f"eyJh.{claims}.sig"}
        ).gather(PODS)

    assert raised.value.what.endswith(": the token expired at 2021-02-03 04:05 UTC (401)")


@pytest.mark.parametrize("text", ["soon", "-5s", "5 minutes"])
def test_a_request_timeout_that_is_no_duration(text: str, tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", "https://127.0.0.1:1")
    with pytest.raises(UsageProblem, match=f"--request-timeout={text}"):
        connect(Options(kubeconfig=path, request_timeout=text), {})


def test_an_unreadable_kubeconfig(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    os.mkdir(folder)
    with pytest.raises(KubeconfigProblem, match="cannot be read: Is a directory"):
        connect(Options(kubeconfig=str(folder)), {})
