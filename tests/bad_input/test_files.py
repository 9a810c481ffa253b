"""Files, folders and archives that are no bundle, or only half of one."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cli import main
from kubedoctor.collect import waiting
from kubedoctor.collect.bundles import folders, loading, parsing
from tests.bad_input.said import Said, say
from tests.bad_input.sick import RECORDING, finds_the_cause

Capture = pytest.CaptureFixture[str]
CLUSTER = RECORDING.read_bytes()
TAKES = "--from reads: a folder or .tar.gz of kubedoctor capture"


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A .tar.gz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


NOT_BUNDLES: dict[str, tuple[str, bytes, str, str]] = {
    "an empty file": ("x.json", b"", "x.json contains no Kubernetes objects: it is empty", TAKES),
    "noise": ("x.json", bytes(range(256)), "x.json cannot be read", TAKES),
    "a web page": ("x.json", b"<html>502</html>", "x.json contains no Kubernetes objects", TAKES),
    "another JSON": ("x.json", b'{"name": "left-pad"}', "x.json contains no Kubernetes objects", TAKES),
    "null": ("x.json", b"null", "x.json contains no", TAKES),
    "JSON that is cut off": ("x.json", CLUSTER[: len(CLUSTER) // 2], "x.json cannot be read: line 1", TAKES),
    "nesting without end": ("x.json", b"[" * 100_000, "x.json cannot be read", TAKES),
    "a kubeconfig": (
        "x",
        b"apiVersion: v1\nkind: Config\nclusters: []\n",
        "is a kubeconfig, not a record",
        "Use --kubeconfig",
    ),
    "a refusal": ("x.json", b'{"kind": "Status", "message": "pods is \\u001b[31m"}', r"pods is \x1b[31m", TAKES),
    "a zip archive": ("x.zip", b"PK\x03\x04rest", "is a zip archive", "Unpack it first"),
    "a gzip bomb": (
        "x.json.gz",
        gzip.compress(b" " * (1 << 20)) * 70,
        "more than 200 times its size",
        "Do not unpack it",
    ),
    "an archive cut off at once": (
        "x.tar.gz",
        packed((tarfile.TarInfo("state.json"), CLUSTER))[:3000],
        "x.tar.gz contains no Kubernetes objects",
        TAKES,
    ),
    "a member outside": (
        "x.tar.gz",
        packed((tarfile.TarInfo("../../etc/cron.d/x"), CLUSTER)),
        "is unsafe: the path of member ../../etc/cron.d/x is outside",
        "Do not unpack it",
    ),
    "a link to the outside": (
        "x.tar.gz",
        packed((link("state.json", "/etc/shadow"), b"")),
        "links to /etc/shadow",
        "Do not unpack it",
    ),
    "a member named by an escape sequence": (
        "x.tar.gz",
        packed((tarfile.TarInfo("/\x1b[2J"), CLUSTER)),
        r"member /\x1b[2J is outside",
        "Do not unpack it",
    ),
}
BOTH = pytest.mark.parametrize("words", [("scan",), ("deploy", "checkout", "-n", "shop")], ids=["scan", "deploy"])


@BOTH
@pytest.mark.parametrize("name", NOT_BUNDLES)
def test_what_is_no_bundle(name: str, words: tuple[str, ...], capsys: Capture, tmp_path: Path) -> None:
    file, content, sentence, hint = NOT_BUNDLES[name]
    (tmp_path / file).write_bytes(content)
    said = say(capsys, *words, "--from", str(tmp_path / file))
    assert said.code == 2
    assert sentence in said.text
    assert hint in said.text


@BOTH
def test_a_file_of_zeros_is_not_read_to_its_end(words: tuple[str, ...], capsys: Capture, tmp_path: Path) -> None:
    """2 GiB that take no room on the disk."""
    with (tmp_path / "x.json").open("wb") as file:
        file.truncate(2 << 30)
    began = time.process_time()
    said = say(capsys, *words, "--from", str(tmp_path / "x.json"))
    assert said.code == 2
    assert "x.json cannot be read: not UTF-8 text" in said.text
    assert time.process_time() - began < 20.0


def test_more_yaml_than_fits_into_memory(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "MOST_YAML", 1 << 20)
    (tmp_path / "x.yaml").write_text("kind: Pod\n" + "# more\n" * (1 << 18))
    said = say(capsys, "scan", "--from", str(tmp_path / "x.yaml"))
    assert said.code == 2
    assert "x.yaml cannot be read: more than 1 MiB of YAML; write it as JSON: kubectl get -o json" in said.text


def test_a_link_in_a_circle(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "x.json").symlink_to(tmp_path / "x.json")
    said = say(capsys, "scan", "--from", str(tmp_path / "x.json"))
    assert said.code == 2
    assert "x.json does not exist" in said.text


def test_a_pipe_that_nobody_writes_to_yet(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person is told what is waited for."""
    monkeypatch.setattr(waiting, "SLOW", 0.1)
    pipe = tmp_path / "pods"
    os.mkfifo(pipe)

    def write() -> None:
        time.sleep(0.5)
        pipe.write_bytes(CLUSTER)

    threading.Thread(target=write, daemon=True).start()
    said = say(capsys, "scan", "--from", str(pipe))
    assert finds_the_cause(said)
    assert f"kubedoctor: waiting for a program that writes to the pipe {pipe} …" in said.text


def test_paths_that_hold_nothing(capsys: Capture, tmp_path: Path) -> None:
    for path, sentence in (
        (tmp_path, "contains no Kubernetes objects: it is empty"),
        (tmp_path / "gone", "gone does not exist"),
        (Path("/dev/null"), "/dev/null"),
        (tmp_path / ("a" * 5000), "cannot be read: File name too long"),
    ):
        said = say(capsys, "scan", "--from", str(path))
        assert said.code == 2
        assert sentence in said.text


def test_the_same_file_twice_is_read_once(capsys: Capture) -> None:
    once = say(capsys, "scan", "--from", str(RECORDING))
    assert say(capsys, "scan", "--from", str(RECORDING), "--from", str(RECORDING)) == once


def test_a_namespace_that_the_bundle_does_not_have(capsys: Capture) -> None:
    said = say(capsys, "scan", "-n", "shp", "--from", str(RECORDING))
    assert said.code == 2
    assert "namespace shp not found in oom-killed.json" in said.text


def broken_beside(folder: Path) -> Path:
    (folder / "state.json").write_bytes(CLUSTER)
    (folder / "broken.json").write_text('{"items": [')
    return folder


def link_beside(folder: Path) -> Path:
    (folder / "state.json").write_bytes(CLUSTER)
    (folder / "passwd.json").symlink_to("/etc/passwd")
    return folder


def circle_beside(folder: Path) -> Path:
    (folder / "state.json").write_bytes(CLUSTER)
    (folder / "a.json").symlink_to(folder / "b.json")
    (folder / "b.json").symlink_to(folder / "a.json")
    (folder / "all").symlink_to(folder)
    return folder


def zip_beside(folder: Path) -> Path:
    (folder / "state.json").write_bytes(CLUSTER)
    (folder / "more.json").write_bytes(b"PK\x03\x04rest")
    return folder


def long_log_beside(folder: Path) -> Path:
    """Zeros, as a program writes to a log that was cut under it."""
    (folder / "state.json").write_bytes(CLUSTER)
    with (folder / "app.log").open("wb") as file:
        file.truncate(1 << 30)
    return folder


def pipe_beside(folder: Path) -> Path:
    (folder / "state.json").write_bytes(CLUSTER)
    os.mkfifo(folder / "pods.json")
    return folder


def deep_beside(folder: Path) -> Path:
    (folder / "state.json").write_bytes(CLUSTER)
    deep = folder.joinpath(*["a"] * 40)
    deep.mkdir(parents=True)
    (deep / "state.json").write_bytes(CLUSTER)
    return folder


def many_beside(folder: Path) -> Path:
    (folder / "a.json").write_bytes(CLUSTER)
    for number in range(folders.MOST_MEMBERS + 1):
        (folder / f"b{number}.json").write_bytes(CLUSTER)
    return folder


def device_beside(folder: Path) -> Path:
    device = tarfile.TarInfo("sda")
    device.type = tarfile.BLKTYPE
    (folder / "x.tar.gz").write_bytes(packed((tarfile.TarInfo("state.json"), CLUSTER), (device, b"")))
    return folder / "x.tar.gz"


def cut_at_the_end(folder: Path) -> Path:
    whole = packed((tarfile.TarInfo("state.json"), CLUSTER), (tarfile.TarInfo("more.log"), bytes(range(256)) * 999))
    (folder / "x.tar.gz").write_bytes(whole[:-40])
    return folder / "x.tar.gz"


HALVES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a broken file beside": (broken_beside, "broken.json cannot be read"),
    "a link beside": (link_beside, "a link to a path outside the folder; not read"),
    "links in a circle": (circle_beside, "a.json: a link to nothing; not read"),
    "a zip archive beside": (zip_beside, "more.json is a zip archive, which is not supported"),
    "an endless log beside": (long_log_beside, ""),
    "folders without end beside": (deep_beside, "a/a: more than 32 folders deep; not read"),
    "more files than are read": (many_beside, "holds more than 1 files and folders; the others were not read"),
    "a pipe beside": (pipe_beside, "pods.json: a device or pipe; not read"),
    "a device in the archive": (device_beside, "sda: a device or pipe in the archive; ignored"),
    "an archive cut off at its end": (cut_at_the_end, "everything before that was read"),
}


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here: runs on Linux")
def test_the_files_of_a_system_end(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of their files have no end, and none has a size."""
    monkeypatch.setattr(loading, "MOST_STRANGE", 100)
    for folder in ("/proc", "/proc/self", "/dev"):
        said = say(capsys, "scan", "--from", folder)
        assert said.code == 2
        assert "contains no Kubernetes objects" in said.text


def test_a_folder_of_anything_else_is_not_read_to_its_end(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "MOST_STRANGE", 3)
    for name in "abcdef":
        (tmp_path / f"{name}.txt").write_text("hello")
    (tmp_path / "z.json").write_bytes(CLUSTER)
    said = say(capsys, "scan", "--from", str(tmp_path))
    assert said.code == 2
    assert "none of the first 3 files is of a cluster; the others were not read" in said.text
    (tmp_path / "z.json").rename(tmp_path / "a.json")
    assert finds_the_cause(say(capsys, "scan", "--from", str(tmp_path)))


@BOTH
@pytest.mark.parametrize("name", HALVES)
def test_what_can_be_read_is_read(
    name: str, words: tuple[str, ...], capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, sentence = HALVES[name]
    if write is many_beside:
        monkeypatch.setattr(folders, "MOST_MEMBERS", 1)
    said = say(capsys, *words, "--from", str(write(tmp_path)))
    assert finds_the_cause(said)
    assert sentence in said.text


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture of the sick cluster, as an archive."""
    path = tmp_path_factory.mktemp("captured") / "state.tar.gz"
    assert main(["capture", "-o", str(path), "--from", str(RECORDING)]) == 0
    return path


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99, 1.0])
def test_a_capture_cut_off_anywhere_is_never_health(
    share: float, captured: Path, capsys: Capture, tmp_path: Path
) -> None:
    whole = captured.read_bytes()
    path = tmp_path / "cut.tar.gz"
    path.write_bytes(whole[: round(len(whole) * share)])
    said: Said = say(capsys, "scan", "--from", str(path))
    assert said.code != 0
    if share < 1:
        assert "cut.tar.gz" in said.text
        assert "contains no Kubernetes objects" in said.text or "everything before that was read" in said.text
    else:
        assert finds_the_cause(said)


def test_a_list_that_is_one_page_of_a_longer_one(capsys: Capture, tmp_path: Path) -> None:
    pods = [each for each in json.loads(CLUSTER)["objects"] if each["kind"] == "Pod"]
    page = {"apiVersion": "v1", "kind": "PodList", "metadata": {"continue": "x"}, "items": pods}
    (tmp_path / "pods.json").write_text(json.dumps(page))
    said = say(capsys, "scan", "--from", str(tmp_path / "pods.json"))
    assert said.code == 1
    assert "128Mi memory limit" in said.text
    assert "the file has only the first page of the list" in said.text


@pytest.mark.parametrize("restarts", [1, 2, 40])
@pytest.mark.parametrize("end", [("Error", 1), ("OOMKilled", 137), ("StartError", 128)])
def test_a_list_without_a_time_calls_no_ready_container_broken(
    end: tuple[str, int], restarts: int, capsys: Capture, tmp_path: Path
) -> None:
    """The newest time in the file is when the container became ready again: it may have been long ago."""
    run = {"startedAt": "2026-01-15T08:59:00Z", "finishedAt": "2026-01-15T09:00:00Z"}
    status: dict[str, Any] = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-15T09:00:08Z"}],
        "containerStatuses": [
            {
                "name": "app",
                "image": "a:1",
                "ready": True,
                "restartCount": restarts,
                "state": {"running": {"startedAt": "2026-01-15T09:00:05Z"}},
                "lastState": {"terminated": {"exitCode": end[1], "reason": end[0], **run}},
            }
        ],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": "2026-01-15T08:00:00Z"},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": "a:1"}]},
        "status": status,
    }
    path = tmp_path / "pods.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod]}))
    assert main(["scan", "-A", "--from", str(path)]) == 3
    said = capsys.readouterr().out
    assert "✗" not in said
    assert "\n· " not in said or "the file does not say when it was written" in " ".join(said.split())
    status["containerStatuses"][0] |= {"ready": False, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    status["conditions"][0]["status"] = "False"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod]}))
    assert say(capsys, "scan", "-A", "--from", str(path)).first_incident.startswith("✗ ")
