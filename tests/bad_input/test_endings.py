"""Everything ends: servers that drip, hang, throttle, go in circles or have no end."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubedoctor.cli import main
from kubedoctor.collect.connecting import deadlines
from kubedoctor.collect.live import listing
from tests.bad_input.said import say
from tests.bad_input.sick import hasty
from tests.bad_input.test_answers import PODS, WEB, of_pods
from tests.collect.fake_api import Answer, Asked, FakeApi, Script, kubeconfig, refusal, response
from tests.collect.served import pod

__all__ = ["hasty"]
Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("hasty")
TIMEOUT = 0.3
LONGEST = 9.0
"""Seconds for a whole command, on a busy machine."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LATE = "did not answer within 0.3s"


def drip(first: bytes, rest: bytes) -> Callable[[socket.socket], None]:
    """Sends the first part at once and the rest again and again, a byte at a time."""

    def send(stream: socket.socket) -> None:
        with contextlib.suppress(OSError):
            stream.sendall(first)
            until = time.monotonic() + LONGEST
            while time.monotonic() < until:
                for number in range(len(rest)):
                    stream.sendall(rest[number : number + 1])
                    time.sleep(0.02)

    return send


def silent(stream: socket.socket) -> None:
    """Keeps the connection open and sends nothing."""
    with contextlib.suppress(OSError):
        stream.settimeout(LONGEST)
        stream.recv(1)


EVERYWHERE = ("nothing", "headers, a byte at a time")
"""These are tried with every command."""
PACKED = gzip.compress(json.dumps({"kind": "PodList", "items": [{"metadata": {"name": "x" * 999}}]}).encode())
LATE_ANSWERS: dict[str, Answer] = {
    "nothing": silent,
    "headers, a byte at a time": drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "a status line, a byte at a time": drip(b"HTTP/1.1 200 O", b"K"),
    "a body, a byte at a time": drip(HEAD + b"Content-Length: 99999\r\n\r\n", b" "),
    "a body without length": drip(HEAD + b"Connection: close\r\n\r\n{", b" "),
    "the size of a chunk": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "a packed body": drip(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 9999\r\n\r\n" + PACKED[:10], PACKED[10:]),
    "informational answers": drip(b"HTTP/1.1 100 Continue\r\n", b"\r\nHTTP/1.1 100 Continue\r\n"),
}


BOMB = gzip.compress(b'{"kind": "PodList", "items": [' + b" " * (80 << 20))


class Bench:
    """Runs commands against a script, and holds each to a time."""

    def __init__(self, folder: Path, capsys: Capture) -> None:
        self.folder = folder
        self.capsys = capsys
        self.asked = 0
        self.timeout = TIMEOUT

    def scan(self, script: Script) -> tuple[int, str]:
        return self._run(script, "scan", "-A", "-o", "wide")

    def pod(self, script: Script) -> tuple[int, str]:
        return self._run(script, "pod", "web", "-n", "shop")

    def capture(self, script: Script) -> tuple[int, str]:
        return self._run(script, "capture", "-o", str(self.folder / f"state-{self.asked}"))

    def _run(self, script: Script, *words: str) -> tuple[int, str]:
        with FakeApi(script) as api:
            config = kubeconfig(self.folder / "config", api.url)
            began = time.monotonic()
            code = main([*words, "--kubeconfig", config, f"--request-timeout={self.timeout}s"])
            lasted = time.monotonic() - began
            self.asked = len(api.asked)
        printed = self.capsys.readouterr()
        text = " ".join(f"{printed.out} {printed.err}".split())
        assert "nternal error" not in text
        assert "✓" not in text
        assert lasted < LONGEST
        return code, text


@pytest.fixture
def bench(tmp_path: Path, capsys: Capture) -> Bench:
    return Bench(tmp_path, capsys)


@pytest.mark.parametrize("name", LATE_ANSWERS)
def test_answers_about_pods_that_do_not_end(name: str, bench: Bench) -> None:
    answer = LATE_ANSWERS[name]
    for command in (bench.scan, bench.capture) if name in EVERYWHERE else (bench.scan,):
        code, text = command(of_pods(answer))
        assert code == 3
        assert LATE in text
    code, text = bench.pod(of_pods(answer, WEB))
    assert code == 2
    assert LATE in text


@pytest.mark.parametrize("name", LATE_ANSWERS)
def test_answers_that_do_not_end(name: str, bench: Bench) -> None:
    for command in (bench.scan, bench.pod, bench.capture) if name in EVERYWHERE else (bench.scan,):
        code, text = command(lambda _: LATE_ANSWERS[name])
        assert code == 2
        assert LATE in text


@pytest.mark.parametrize(
    "how", ["", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n"], ids=["long", "chunks", "open"]
)
def test_an_answer_that_unpacks_without_end(how: str, bench: Bench) -> None:
    """A small answer costs neither the time nor the memory of what it unpacks to."""
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BOMB), BOMB)
    ends = how or f"Content-Length: {len(BOMB)}\r\n"
    answer = HEAD + f"Content-Encoding: gzip\r\n{ends}\r\n".encode() + (chunked if "chunked" in how else BOMB)
    bench.timeout = 5 * TIMEOUT
    for command in (bench.scan, bench.capture):
        code, text = command(of_pods(answer))
        assert code == 3
        assert "cannot be unpacked (it unpacks to more than 200 times its size)" in text
    code, text = bench.pod(of_pods(answer, WEB))
    assert code == 2
    assert "it unpacks to more than 200 times its size" in text


def after(answers: int, then: Answer) -> Script:
    """A healthy cluster, whose server fails after so many answers."""
    inner = of_pods(refusal(404, "NotFound", "x"), ())
    lock, seen = threading.Lock(), [0]

    def script(asked: Asked) -> Answer:
        with lock:
            seen[0] += 1
            return inner(asked) if seen[0] <= answers else then

    return script


def closed(stream: socket.socket) -> None:
    stream.close()


@pytest.mark.parametrize("name", ["hangs", "drops", "is overloaded"])
def test_a_server_that_dies_after_twelve_answers(name: str, bench: Bench) -> None:
    busy = refusal(429, "TooManyRequests", "slow down", "Retry-After: 60\r\n")
    ways: dict[str, Answer] = {"hangs": silent, "drops": closed, "is overloaded": busy}
    then = ways[name]
    bench.timeout = 2 * TIMEOUT  # the twelve answers must be in time on a busy machine
    code, text = bench.scan(after(12, then))
    assert code == 3
    assert "could be checked" in text
    code, text = bench.capture(after(12, then))
    assert code == 3
    assert "wrote " in text
    assert "not recorded: " in text
    code, text = bench.pod(after(12, then))
    assert code in (2, 3)


def test_a_server_that_throttles_for_ever_is_asked_less(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "PATIENCE", 0.0)
    busy = refusal(429, "TooManyRequests", "slow down", "Retry-After: 60\r\n")
    code, text = bench.scan(lambda _: busy)
    assert code == 3
    assert "the server returned 429 (slow down)" in text
    assert bench.asked < 100


def test_a_server_that_asks_to_wait_longer_than_for_a_request(bench: Bench) -> None:
    busy = refusal(429, "TooManyRequests", "slow down", "Retry-After: 3600\r\n")
    for command, expected in ((bench.scan, 3), (bench.pod, 2), (bench.capture, 3)):
        code, text = command(of_pods(busy))
        assert code == expected
        assert "the server returned 429 (slow down) and asks to wait 60m" in text


def test_a_redirect_in_a_circle(bench: Bench) -> None:
    moved = response(b"", "302 Found", extra="Location: /api/v1/pods\r\n")
    for command in (bench.scan, bench.pod, bench.capture):
        code, text = command(lambda _: moved)
        assert code == 2
        assert "it returned a redirect" in text
    assert bench.asked < 100  # each kind once


def pages(number: Callable[[], int], token: str, items: int) -> Script:
    """Pods whose list has no end."""

    def script(asked: Asked) -> Answer:
        if asked.path not in PODS:
            return healthy(asked)
        page = number()
        names = [f"web-{page}-{one}" for one in range(items)]
        listed = {"kind": "PodList", "apiVersion": "v1", "metadata": {"continue": token.format(page)}}
        return response({**listed, "items": [pod(name) for name in names]})

    healthy = of_pods(b"", ())
    return script


ENDLESS = {
    "the same token": ("again", 2, "the server keeps returning the same chunk"),
    "new tokens without items": ("next-{}", 0, "the server keeps returning empty chunks"),
    "new items for ever": ("next-{}", 20, "it has more than 100 objects"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_lists_without_end(name: str, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    token, items, sentence = ENDLESS[name]
    monkeypatch.setattr(listing, "MOST_OBJECTS", 100)
    for command in (bench.scan, bench.capture):
        counted = iter(range(10**6))
        code, text = command(pages(lambda counted=counted: next(counted), token, items))  # type: ignore[misc]  # a default for the loop
        assert code == 3
        assert sentence in text
        assert bench.asked < 300  # the logs of the pods included


EXPIRED = refusal(410, "Expired", "The provided continue parameter is too old")


def expired(*, at_once: bool) -> Script:
    healthy = of_pods(b"", ())
    first = response(
        {"kind": "PodList", "apiVersion": "v1", "metadata": {"continue": "x"}, "items": [pod("web"), pod("api")]}
    )

    def script(asked: Asked) -> Answer:
        if asked.path not in PODS:
            return healthy(asked)
        return EXPIRED if at_once or "continue=" in asked.query else first

    return script


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "in the middle"])
def test_lists_that_expire_for_ever(at_once: bool, bench: Bench) -> None:
    for command in (bench.scan, bench.capture):
        code, text = command(expired(at_once=at_once))
        assert code == 3
        assert "The provided continue parameter is too old" in text
        assert bench.asked < 100


TIMEOUTS = {
    "400 digits": ("9" * 400, 1),
    "400 digits of seconds": ("9" * 400 + "s", 2),
    "a year": ("8760h", 1),
    "digits of another script": ("٣", 1),
    "a superscript": ("²", 2),
    "negative": ("-1s", 2),
    "a float": ("1e3", 2),
}


@pytest.mark.parametrize("name", TIMEOUTS)
def test_timeouts(name: str, capsys: Capture, tmp_path: Path) -> None:
    timeout, code = TIMEOUTS[name]
    with FakeApi(of_pods(response({"kind": "PodList", "items": []}))) as api:
        config = kubeconfig(tmp_path / "config", api.url)
        said = say(capsys, "scan", f"--request-timeout={timeout}", "--kubeconfig", config)
    assert said.code == (2 if code == 2 else 0)


@pytest.fixture
def deaf() -> Iterator[str]:
    """A port that accepts connections and never answers, not even a TLS greeting."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"


def test_a_tls_greeting_that_is_not_answered(deaf: str, capsys: Capture, tmp_path: Path) -> None:
    began = time.monotonic()
    config = kubeconfig(tmp_path / "config", deaf)
    said = say(capsys, "scan", "--request-timeout=300ms", "--kubeconfig", config)
    assert said.code == 2
    assert "within 0.3s" in said.text
    assert time.monotonic() - began < LONGEST


PROXIES: dict[str, tuple[Answer, str]] = {
    "wants a login": (response(b"<html>", "407 Proxy Authentication Required"), "does not allow the connection to"),
    "forbids it": (response(b"no", "403 Forbidden"), "Tunnel connection failed: 403 Forbidden"),
    "redirects": (response(b"", "302 Found", extra="Location: http://login/\r\n"), "Tunnel connection failed: 302"),
    "shows a page": (response(b"<html>", "200 OK"), "does not speak TLS"),
    "is silent": (silent, LATE),
    "sends headers, a byte at a time": (drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"), LATE),
    "sends a status line, a byte at a time": (drip(b"HTTP/1.1 2", b"0"), LATE),
    "speaks another protocol": (b"hello\r\n\r\n", "broke: hello"),
}


@pytest.mark.parametrize("name", PROXIES)
def test_proxies(name: str, capsys: Capture, tmp_path: Path) -> None:
    answer, sentence = PROXIES[name]
    began = time.monotonic()
    with FakeApi(lambda _: answer) as api:
        config = kubeconfig(tmp_path / "config", "https://api.example:6443", cluster={"proxy-url": api.url})
        said = say(capsys, "scan", f"--request-timeout={TIMEOUT}s", "--kubeconfig", config)
    assert said.code == 2
    assert sentence in said.text
    assert time.monotonic() - began < LONGEST
