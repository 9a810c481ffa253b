"""Credentials of a kubeconfig are in no output: not in errors, gaps, `--debug`, captures or on the screen."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kubedoctor.cli import main
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue
from kubedoctor.problems import UsageProblem
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.session import Session
from kubedoctor.tui.state.sources import Opener
from tests.bad_input.sick import hasty
from tests.bad_input.test_answers import of_pods
from tests.collect.certificates import make, server_side
from tests.collect.fake_api import Answer, Asked, FakeApi, Script, kubeconfig, refusal, response
from tests.tui.recordings import press
from tests.tui.screenshots import settle
from tests.tui.test_markup import screen_text

__all__ = ["hasty"]
pytestmark = pytest.mark.usefixtures("hasty")
TOKEN = "Zq7hunter2xtoken"
Capture = pytest.CaptureFixture[str]


class Login(NamedTuple):
    """The parts of a kubeconfig that hold a token; `server`: what stands in the place of `https://`."""

    user: dict[str, Any] = {}  # noqa: RUF012  # never changed
    cluster: dict[str, Any] = {}  # noqa: RUF012  # never changed
    server: str = ""


def plugin(folder: Path, script: str) -> dict[str, Any]:
    """A user with an exec plug-in, which gets the token as an argument and a variable."""
    path = folder / "login.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": str(path),
            "args": ["--token", TOKEN, f"--client-secret={TOKEN}"],
            "env": [{"name": "LOGIN_TOKEN", "value": TOKEN}],
            "interactiveMode": "Never",
        }
    }


CREDENTIAL = '{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"{0}"}}}}'
LOGINS: dict[str, Callable[[Path], Login]] = {
    "a token": lambda _: Login({"token": TOKEN}),
    "a token with a line feed": lambda _: Login({"token": f"{TOKEN}\n"}),
    "a token that no header can hold": lambda _: Login({"token": f"{TOKEN}\x01ü"}),
    "a password": lambda _: Login({"username": "bob", "password": TOKEN}),
    "a password with a line feed": lambda _: Login({"username": "bob\r\n", "password": f"{TOKEN}\r\n"}),
    "certificates that are none": lambda _: Login({"client-certificate-data": TOKEN, "client-key-data": TOKEN}),
    "an authority that is none": lambda _: Login({"token": TOKEN}, {"certificate-authority-data": TOKEN}),
    "user info of the server": lambda _: Login({}, {}, f"https://bob:{TOKEN}@"),
    "user info of an unknown scheme": lambda _: Login({}, {}, f"ftp://bob:{TOKEN}@"),
    "a proxy that refuses": lambda _: Login({}, {"proxy-url": f"http://bob:{TOKEN}@127.0.0.1:9"}),
    "a proxy of an unknown scheme": lambda _: Login({}, {"proxy-url": f"gopher://bob:{TOKEN}@x"}),
    "a plug-in that fails": lambda folder: Login(plugin(folder, f"echo denied token={TOKEN} {TOKEN} >&2; exit 1")),
    "a plug-in that writes no JSON": lambda folder: Login(plugin(folder, f"echo {TOKEN}")),
    "a plug-in of another version": lambda folder: Login(plugin(folder, f'echo \'{{"kind":"{TOKEN}"}}\'')),
    "a plug-in that chats": lambda folder: Login(
        plugin(folder, f"echo using {TOKEN} >&2; echo '{CREDENTIAL.format(TOKEN)}'")
    ),
    "a plug-in with a line feed": lambda folder: Login(
        plugin(folder, f"echo '{CREDENTIAL.format(TOKEN + chr(92) + 'n')}'")
    ),
    "a legacy provider": lambda _: Login(
        {"auth-provider": {"name": "oidc", "config": {"id-token": TOKEN, "refresh-token": TOKEN}}}
    ),
}
ECHOES: dict[str, Answer] = {
    "refused": refusal(403, "Forbidden", f"User bob with Bearer {TOKEN} cannot list"),
    "unauthorized": refusal(401, "Unauthorized", f"invalid bearer token: {TOKEN}"),
    "a page": response(f"<p>Authorization: Bearer {TOKEN}</p>".encode(), "502 Bad Gateway", "text/html"),
    "a broken server": refusal(500, "InternalError", f"http://bob:{TOKEN}@10.0.0.1: Authorization: Bearer {TOKEN}"),
}
COMMANDS = ("scan -A", "pod web -n shop", "scan -A -o json --debug", "pod web -n shop --debug", "pods -A", "capture -A")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make(tmp_path_factory.mktemp("tls"), "server")


def server(script: Script, certificate: tuple[Path, Path]) -> FakeApi:
    """Credentials are sent, and plug-ins are run, over TLS only."""
    return FakeApi(script, server_side(*certificate))


def config_of(folder: Path, login: Login, url: str, certificate: tuple[Path, Path]) -> str:
    place = url.replace("https://", login.server) if login.server else url
    cluster = {"certificate-authority": str(certificate[0]), **login.cluster}
    return kubeconfig(folder / "config", place, user=login.user, cluster=cluster)


def clean(text: str) -> None:
    assert TOKEN not in text
    assert "nternal error" not in text
    assert len(text) > 20


@pytest.mark.parametrize("name", LOGINS)
def test_no_command_prints_a_credential(
    name: str, tmp_path: Path, capfd: Capture, certificate: tuple[Path, Path]
) -> None:
    with server(of_pods(refusal(401, "Unauthorized", f"invalid bearer token: {TOKEN}")), certificate) as api:
        config = config_of(tmp_path, LOGINS[name](tmp_path), api.url, certificate)
        for number, words in enumerate(COMMANDS):
            target = ["-o", str(tmp_path / f"out{number}")] if words.startswith("capture") else []
            main([*words.split(), *target, "--kubeconfig", config, "--request-timeout=2s"])
            printed = capfd.readouterr()
            clean(printed.out + printed.err)
    written = [path for path in tmp_path.rglob("out*/**/*") if path.is_file()]
    assert not any(TOKEN in path.read_text() for path in written)


@pytest.mark.parametrize("name", ECHOES)
def test_no_answer_of_a_server_brings_a_credential_back(
    name: str, tmp_path: Path, capfd: Capture, certificate: tuple[Path, Path]
) -> None:
    def script(asked: Asked) -> Answer:
        return ECHOES[name]

    with server(script, certificate) as api:
        config = config_of(tmp_path, Login({"token": TOKEN}), api.url, certificate)
        for number, words in enumerate(COMMANDS):
            target = ["-o", str(tmp_path / f"out{number}")] if words.startswith("capture") else []
            main([*words.split(), *target, "--kubeconfig", config, "--request-timeout=2s"])
            printed = capfd.readouterr()
            clean(printed.out + printed.err)
    assert not any(TOKEN in path.read_text() for path in tmp_path.rglob("out*/**/*") if path.is_file())


async def screen_of(login: Login, answer: Answer, folder: Path, certificate: tuple[Path, Path]) -> str:
    """The first screen of the terminal UI with this login, on a server that only says this."""

    def refuse(name: str) -> Any:
        raise UsageProblem(f"No context {name}.", "")

    with server(lambda _: answer, certificate) as api:
        config = config_of(folder, login, api.url, certificate)

        def session() -> Session:
            source = open_source(Options(kubeconfig=config, request_timeout="2s"))
            return Session(source, load_catalogue(), Opener(lambda: (), refuse), "test")

        app = KubedoctorApp(session, None, "test")
        async with app.run_test(size=(200, 60)) as pilot:
            await settle(app)
            await press(pilot, app)
            return screen_text(app)


@pytest.mark.parametrize("name", LOGINS)
async def test_no_screen_shows_a_credential(name: str, tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    clean(await screen_of(LOGINS[name](tmp_path), ECHOES["unauthorized"], tmp_path, certificate))


@pytest.mark.parametrize("name", ECHOES)
async def test_no_screen_brings_a_credential_back(name: str, tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    clean(await screen_of(Login({"token": TOKEN}), ECHOES[name], tmp_path, certificate))


REDACTING = ("problems", "collect.live.answers", "cluster.seen.wants", "cli.run")
"""Where error texts pass the one function that removes credentials."""
SHOWN_WITHOUT = ("user info of the server", "a proxy that refuses", "a broken server")
"""These tests fail without that function; the others hold that a text is never quoted at all."""


@pytest.fixture
def unredacted(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in REDACTING:
        monkeypatch.setattr(f"kubedoctor.{module}.without_credentials", lambda text: text)


@pytest.mark.usefixtures("unredacted")
@pytest.mark.parametrize("name", SHOWN_WITHOUT)
async def test_a_screen_would_show_what_is_not_removed(
    name: str, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    login = LOGINS[name](tmp_path) if name in LOGINS else Login({"token": TOKEN})
    assert TOKEN in await screen_of(login, ECHOES.get(name, ECHOES["unauthorized"]), tmp_path, certificate)


@pytest.mark.usefixtures("unredacted")
@pytest.mark.parametrize("name", SHOWN_WITHOUT)
def test_a_command_would_print_what_is_not_removed(
    name: str, tmp_path: Path, capfd: Capture, certificate: tuple[Path, Path]
) -> None:
    login = LOGINS[name](tmp_path) if name in LOGINS else Login({"token": TOKEN})
    with server(lambda _: ECHOES.get(name, ECHOES["unauthorized"]), certificate) as api:
        config = config_of(tmp_path, login, api.url, certificate)
        main(["scan", "-A", "--kubeconfig", config, "--request-timeout=2s"])
    assert TOKEN in "".join(capfd.readouterr())
