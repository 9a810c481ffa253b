"""Each fault on the way to a server is a sentence, in bounded time, and without a credential."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.answers import Mark
from kubedoctor.collect.doctor import AccessWay, take_way
from kubedoctor.collect.options import Options
from tests.collect.certificates import make, server_side
from tests.collect.fake_api import Answer, Asked, FakeApi, kubeconfig, refusal, response

TOKEN = "sha256~very-secret-token"


def last(way: AccessWay) -> tuple[str, Mark, str]:
    step = way.steps[-1]
    return step.name, step.mark, step.text


def take(path: str, **more: Any) -> AccessWay:
    way = take_way(Options(kubeconfig=path, request_timeout="2s", **more), {})
    if way.transport is not None:
        way.transport.close()
    assert not [step for step in way.steps if TOKEN in step.text + step.hint]
    assert all(step.hint for step in way.steps if step.mark is Mark.NO)
    return way


def answered(asked: Asked) -> Answer:
    """A server that is well."""
    if asked.path.endswith("selfsubjectreviews"):
        status = {"userInfo": {"username": "jane", "groups": ["dev", "system:authenticated"]}}
        return response({"kind": "SelfSubjectReview", "status": status}, "201 Created")
    if asked.path == "/readyz":
        return response(b"[+]ping ok\n[+]etcd ok\nreadyz check passed\n", content_type="text/plain")
    return response({"gitVersion": "v1.37.2"})


@contextmanager
def secured(
    folder: Path, script: Any = answered, *, address: str = "127.0.0.1", expired: bool = False
) -> Iterator[str]:
    """A server with a certificate that the kubeconfig trusts; the kubeconfig's path."""
    certificate, key = make(folder, "server", address=address, expired=expired)
    with FakeApi(script, server_side(certificate, key)) as api:
        yield kubeconfig(
            folder / "config", api.url, user={"token": TOKEN}, cluster={"certificate-authority": str(certificate)}
        )


def test_a_way_without_faults(tmp_path: Path) -> None:
    with secured(tmp_path) as path:
        way = take(path)

    assert [step.name for step in way.steps] == [
        "kubeconfig",
        "connection",
        "certificate",
        "login",
        "clock",
        "version",
        "health",
    ]
    assert {step.mark for step in way.steps if step.name != "clock"} == {Mark.YES}
    assert way.identity.user == "jane"
    assert "with a token" in way.steps[0].text
    assert way.steps[2].text.partition("until")[1]  # two days of two: nothing that a machine would have renewed
    assert last(way)[2] == "all of the API server's 2 checks passed"


def test_no_kubeconfig_and_a_broken_one(tmp_path: Path) -> None:
    assert last(take(str(tmp_path / "none")))[:2] == ("kubeconfig", Mark.NO)
    (tmp_path / "broken").write_text("clusters: [")
    assert last(take(str(tmp_path / "broken")))[:2] == ("kubeconfig", Mark.NO)


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    name, mark, text = last(take(kubeconfig(tmp_path / "config", f"https://127.0.0.1:{port}")))

    assert (name, mark) == ("connection", Mark.NO)
    assert text.endswith("refuses the connection")


def test_a_host_name_without_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert last(take(kubeconfig(tmp_path / "config", "https://api.example.com:6443"))) == (
        "host name",
        Mark.NO,
        "host name api.example.com cannot be resolved",
    )


def test_a_server_that_accepts_and_never_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        path = kubeconfig(tmp_path / "config", f"https://127.0.0.1:{listener.getsockname()[1]}")
        name, mark, text = last(take(path))

    assert (name, mark) == ("connection", Mark.NO)
    assert "within 2s" in text


def test_an_expired_certificate_of_the_server_says_since_when(tmp_path: Path) -> None:
    with secured(tmp_path, expired=True) as path:
        name, mark, text = last(take(path))

    assert (name, mark) == ("certificate", Mark.NO)
    assert "has expired at 2021-02-03 04:05 UTC" in text


def test_a_certificate_for_another_address(tmp_path: Path) -> None:
    with secured(tmp_path, address="10.0.0.9") as path:
        assert last(take(path))[2].endswith("is valid for other names only")


def test_a_certificate_of_a_stranger(tmp_path: Path) -> None:
    other, _ = make(tmp_path, "other")
    certificate, key = make(tmp_path, "server")
    with FakeApi(answered, server_side(certificate, key)) as api:
        path = kubeconfig(tmp_path / "config", api.url, cluster={"certificate-authority": str(other)})
        assert "not trusted" in last(take(path))[2]


def test_an_expired_client_certificate_ends_the_way_before_a_request(tmp_path: Path) -> None:
    certificate, key = make(tmp_path, "jane", expired=True)
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    name, mark, text = last(take(kubeconfig(tmp_path / "config", "https://127.0.0.1:1", user=user)))

    assert (name, mark) == ("client certificate", Mark.NO)
    assert text.endswith("expired at 2021-02-03 04:05 UTC")


def test_refused_credentials(tmp_path: Path) -> None:
    with secured(tmp_path, lambda _: refusal(401, "Unauthorized", "Unauthorized")) as path:
        name, mark, text = last(take(path))

    assert (name, mark) == ("login", Mark.NO)
    assert text.endswith("(401)")


def test_a_login_page_in_between(tmp_path: Path) -> None:
    with secured(tmp_path, lambda _: response(b"<html>Log in</html>", content_type="text/html")) as path:
        assert "is not a Kubernetes API server" in last(take(path))[2]


def test_a_clock_that_is_wrong(tmp_path: Path) -> None:
    def late(asked: Asked) -> Answer:
        whole = answered(asked)
        assert isinstance(whole, bytes)
        return whole.replace(b"\r\n", b"\r\nDate: Tue, 01 Dec 2015 03:00:00 GMT\r\n", 1)

    with secured(tmp_path, late) as path:
        (clock,) = [step for step in take(path).steps if step.name == "clock"]

    assert clock.mark is Mark.NO
    assert "ahead of" in clock.text


def test_a_check_of_the_server_that_fails_is_named(tmp_path: Path) -> None:
    def sick(asked: Asked) -> Answer:
        if asked.path == "/readyz":
            body = b"[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"
            return response(body, "500 Internal Server Error", "text/plain")
        return answered(asked)

    with secured(tmp_path, sick) as path:
        name, mark, text = last(take(path))

    assert (name, mark) == ("health", Mark.NO)
    assert "etcd failed: reason withheld" in text


def test_a_server_that_does_not_say_who_one_is(tmp_path: Path) -> None:
    def older(asked: Asked) -> Answer:
        if asked.path.endswith("selfsubjectreviews"):
            return refusal(404, "NotFound", "the server could not find the requested resource")
        return answered(asked)

    with secured(tmp_path, older) as path:
        way = take(path)

    (login,) = [step for step in way.steps if step.name == "login"]
    assert login.mark is Mark.YES
    assert json.dumps(login.text).count("does not say as whom") == 1
