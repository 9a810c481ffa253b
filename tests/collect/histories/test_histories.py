"""A recorded history is read as it was watched, at every moment, also where it was cut off."""

from __future__ import annotations

import copy
import gzip
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cli.exit_codes import ExitCode
from kubedoctor.cli.run import main
from kubedoctor.cluster import Ref, Snapshot
from kubedoctor.collect.histories import reading
from kubedoctor.collect.histories.following import WatchedHistory
from kubedoctor.collect.histories.source import HistorySource
from kubedoctor.collect.histories.writing import HistoryFile
from kubedoctor.collect.live.cluster import LiveSource
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.collect.redact import kept_fields
from kubedoctor.problems import BundleProblem, UsageProblem
from kubedoctor.sandbox import Fault, Sandbox, SandboxServer, load_recording, recording_path, serve

KINDS = ("Pod", "Deployment", "ReplicaSet", "Service", "Event", "Node", "Secret", "ConfigMap", "Namespace")
WEB = Ref("Deployment", "shop", "web")
PASSWORD = "hunter2-hunter2"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(load_recording(recording_path("oom-killed")))


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[SandboxServer]:
    with serve(sandbox) as one:
        yield one


def found(kind: str, name: str) -> dict[str, Any]:
    objects = load_recording(recording_path("oom-killed")).objects
    return copy.deepcopy(next(obj for obj in objects if (obj["kind"], obj["metadata"]["name"]) == (kind, name)))


def until(true: Callable[[], object]) -> None:
    ends = time.monotonic() + 20
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)


def image(replacement: str) -> dict[str, Any]:
    changed = found("Deployment", "web")
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = replacement
    return changed


def written(sandbox: Sandbox, served: SandboxServer, path: Path, most_bytes: int = 1 << 24) -> Snapshot:
    """Three changes, the last a deletion; what the watch saw at its end."""
    source = open_source(Options(kubeconfig=str(served.kubeconfig)))
    assert isinstance(source, LiveSource)
    source.list_all(KINDS)
    file = HistoryFile(path, most_bytes)
    file.begin(source.snapshot, "")
    history = WatchedHistory(source, file, KINDS, "", lambda _: ())
    ended = threading.Event()
    worker = threading.Thread(target=history.run, args=(ended, None))
    worker.start()
    until(lambda: all(status.state == "watching" for status in history._watcher.status()))
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "namespace": "shop", "annotations": {"note": f"postgres://app:{PASSWORD}@db/shop"}},
        "data": {"password": "aHVudGVyMi1odW50ZXIy"},
    }
    for number, change in enumerate((image("web:2"), image("web:3"), secret), start=1):
        sandbox.put(change)
        wanted = number
        until(lambda: file.changes == wanted or file.full)  # noqa: B023  # called at once
        time.sleep(0.05)
    sandbox.delete(image("web:3"))
    until(lambda: file.changes == 4 or file.full)
    ended.set()
    worker.join()
    history.close()
    file.close()
    source.close()
    return source.snapshot


def read(path: Path, at: str = "") -> Snapshot:
    source = open_source(Options(from_=(str(path),), at=at))
    assert isinstance(source, HistorySource)
    return source.snapshot


def image_of(snapshot: Snapshot) -> str | None:
    obj: Any = snapshot.get(WEB)
    return obj.spec.template.spec.containers[0].image if obj is not None else None


def test_the_end_is_what_was_watched_and_every_moment_comes_back(
    sandbox: Sandbox, served: SandboxServer, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    seen = written(sandbox, served, path)
    end = read(path)
    assert end.closed
    for kind in KINDS:
        assert list(map(repr_of, end.of_kind(kind))) == list(map(repr_of, seen.of_kind(kind))), kind
    assert end.history is not None
    assert end.taken_at >= end.history.entries()[-1].at
    moments = [entry.at for entry in end.history.entries()]
    images = [image_of(read(path, at.isoformat())) for at in moments]
    assert images == ["web:2", "web:3", "web:3", None]
    first = read(path, end.history.since.isoformat() if end.history.since else "")
    assert image_of(first) == found("Deployment", "web")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert first.history is not None
    assert len(first.history) == 0
    assert path.stat().st_mode & 0o777 == 0o600


def repr_of(obj: Any) -> str:
    fields = kept_fields(obj)
    fields["metadata"].pop("resourceVersion", None)
    return repr(fields)


def test_no_secret_is_in_the_file(sandbox: Sandbox, served: SandboxServer, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    written(sandbox, served, path)
    text = path.read_text()
    assert '"db"' in text
    assert PASSWORD not in text
    assert "aHVudGVyMi1odW50ZXIy" not in text


def test_a_file_that_was_cut_off_is_read_to_its_last_whole_line(
    sandbox: Sandbox, served: SandboxServer, tmp_path: Path
) -> None:
    path, cut = tmp_path / "a.jsonl", tmp_path / "cut.jsonl"
    written(sandbox, served, path)
    whole = path.read_bytes()
    place = whole.index(b"web:3") + 3
    cut.write_bytes(whole[:place])
    assert image_of(read(cut)) == "web:2"
    for end in range(place - 400, place, 37):
        cut.write_bytes(whole[:end])
        assert image_of(read(cut)) in ("web:2", "registry.shop.internal:5000/web:1.4.2")
    cut.write_bytes(whole[:60])
    with pytest.raises(BundleProblem, match="cut off"):
        read(cut)
    cut.write_bytes(whole.replace(b'"fields":[', b'"fields":{', 1))
    assert any("1 line of cut.jsonl cannot be read" in problem for problem in read(cut).problems)
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(whole))
    assert image_of(read(packed)) is None
    packed.write_bytes(gzip.compress(whole)[:-100])
    assert read(packed).count() > 10


def test_a_packed_file_that_is_damaged_or_has_no_end(sandbox: Sandbox, served: SandboxServer, tmp_path: Path) -> None:
    path, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    written(sandbox, served, path)
    whole = path.read_bytes()
    damaged = bytearray(gzip.compress(whole))
    damaged[-600:-500] = bytes(100)
    packed.write_bytes(damaged)
    assert any("b.jsonl.gz is damaged" in problem for problem in read(packed).problems)
    bomb = gzip.compress(whole) + gzip.compress((b" " * (1 << 20) + b"\n") * 70)
    packed.write_bytes(bomb)
    with pytest.raises(BundleProblem, match="it unpacks to more than 200 times its size"):
        read(packed)
    packed.write_bytes(gzip.compress(b"\n".join((whole.splitlines()[0], b"x" * 20_000, b""))))
    with pytest.MonkeyPatch.context() as smaller:
        smaller.setattr(reading, "MOST_LINE", 10_000)
        assert any("has a line longer than" in problem for problem in read(packed).problems)


def test_the_size_is_a_limit(sandbox: Sandbox, served: SandboxServer, tmp_path: Path) -> None:
    path, small = tmp_path / "a.jsonl", tmp_path / "small.jsonl"
    written(sandbox, served, path)
    base = path.stat().st_size
    served_again = Sandbox(load_recording(recording_path("oom-killed")))
    with serve(served_again) as other:
        written(served_again, other, small, most_bytes=base - 200)
    assert small.stat().st_size <= base - 200
    assert read(small).count() > 10
    with pytest.raises(UsageProblem):
        HistoryFile(tmp_path / "tiny.jsonl", 1000).begin(read(path), "")


def test_a_time_without_sight_is_said(sandbox: Sandbox, served: SandboxServer, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    source = open_source(Options(kubeconfig=str(served.kubeconfig)))
    assert isinstance(source, LiveSource)
    source.list_all(("Pod",))
    file = HistoryFile(path, 1 << 24)
    file.begin(source.snapshot, "")
    history = WatchedHistory(source, file, ("Pod",), "", lambda _: ())
    ended = threading.Event()
    worker = threading.Thread(target=history.run, args=(ended, None))
    worker.start()
    until(lambda: history._watcher.status()[0].state == "watching")
    broken = Fault(503, "ServiceUnavailable", "down", verbs=("watch", "list"))
    sandbox.faults.append(broken)

    def disturbed() -> bool:
        history._watcher._followers[0].interrupt()
        return history._watcher.status()[0].state == "stale"

    until(disturbed)
    until(lambda: b'"lost":"Pod"' in path.read_bytes())
    sandbox.faults.remove(broken)
    until(lambda: b'"back":"Pod"' in path.read_bytes())
    ended.set()
    worker.join()
    history.close()
    file.close()
    source.close()
    assert any("Pod was not watched from" in problem for problem in read(path).problems)


def test_the_command_records_and_the_others_read(
    served: SandboxServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "a.jsonl")
    code = main(["record", "--kubeconfig", str(served.kubeconfig), "-o", path, "--for", "1s"])
    assert code in (ExitCode.HEALTHY, ExitCode.GAPS)
    assert "wrote " in capsys.readouterr().err
    assert main(["scan", "--from", path]) == ExitCode.FOUND
    assert "KD1005" in capsys.readouterr().out
    assert main(["scan", "--from", path, "--at", "0s"]) == ExitCode.FOUND
    assert main(["scan", "--from", path, "--at", "noon"]) == ExitCode.USAGE
    assert "is no moment" in capsys.readouterr().err
    assert main(["scan", "--from", path, "--at", "5h"]) == ExitCode.USAGE
    assert "the recording is from" in capsys.readouterr().err
    assert main(["diff", f"{path}@0s", path]) == ExitCode.HEALTHY or "still there" in capsys.readouterr().out
    assert main(["record", "--kubeconfig", str(served.kubeconfig), "-o", path]) == ExitCode.USAGE
    assert "exists" in capsys.readouterr().err
    state = str(recording_path("oom-killed"))
    assert main(["scan", "--from", state, "--at", "5m"]) == ExitCode.USAGE
    assert "--at needs a recorded history" in capsys.readouterr().err
    assert main(["record", "--from", state, "-o", str(tmp_path / "b")]) == ExitCode.USAGE


@pytest.mark.parametrize(
    "arguments", [["record"], ["record", "-o", "x", "--for", "soon"], ["record", "-o", "x", "--max-size", "big"]]
)
def test_wrong_options_are_refused(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert main(arguments) == ExitCode.USAGE
    assert not (tmp_path / "x").exists()
