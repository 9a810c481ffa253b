"""Writing a bundle: the answers of the API server without secrets, with the same bytes for the same state.

```
kubedoctor.json                                   format, time, version, context, and what was read and refused
objects/KIND.json                                 a list of each kind, one object on a line
logs/NAMESPACE/POD/CONTAINER[.previous].log       the ends of logs, of containers in trouble
```
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec

from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import is_namespaced, kind_named
from kubedoctor.cluster.seen.decoding import decode_object
from kubedoctor.cluster.seen.snapshot import NOT_HERE, UNKNOWN_TIME
from kubedoctor.cluster.seen.wants import READYZ, CannotSee, LogWant, Want
from kubedoctor.cluster.triage import all_statuses, troubled
from kubedoctor.collect.bundles.archive import ARCHIVES, write_archive
from kubedoctor.collect.bundles.layouts import MANIFEST
from kubedoctor.collect.bundles.loading import FORMAT
from kubedoctor.collect.loading import loading
from kubedoctor.collect.metrics import NO_METRICS, is_metrics
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.problems import BundleProblem, UsageProblem

ALWAYS = ("Namespace", "Node", "Pod", "Event")
MOST_LOGS = 200
_LOGS_AT_ONCE = 50
_LOGS_NAMED = 3
_NO_METRICS = (NO_METRICS, NOT_HERE)
_ENCODER = msgspec.json.Encoder(order="sorted")


@dataclass
class Written:
    """What was written, as sentences for people, and whether the bundle is complete."""

    told: str
    complete: bool


@dataclass
class _Contents:
    """The files written so far, and the manifest's entries about them."""

    folder: Path
    objects: int = 0
    kinds: dict[str, dict[str, Any]] = field(default_factory=dict)
    namespaces: set[str] = field(default_factory=set)
    logs: int = 0
    refused_logs: dict[str, str] = field(default_factory=dict)
    wanted_logs: set[LogWant] = field(default_factory=set)
    not_listed: list[str] = field(default_factory=list)
    """Sentences about kinds of extensions."""


def write_bundle(source: ReadableCluster, kinds: Iterable[str], path: Path, namespace: str = "") -> Written:
    """Read these kinds (of one namespace, where given) and write them to a folder, or to a file if it is named so.

    Raises UsageProblem for a path that is taken, BundleProblem if it cannot be written
    or if nothing may be read.
    """
    _check_free(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".kubedoctor-", dir=path.parent) as folder:
            contents = _Contents(Path(folder) / "bundle")
            contents.folder.mkdir(mode=0o700)
            with loading():
                _write_all(contents, source, sorted({*kinds, *ALWAYS}), namespace)
            _check_something(contents)
            if path.name.endswith(ARCHIVES):
                packed = Path(folder) / "bundle.tar.gz"
                write_archive(contents.folder, packed, source.snapshot.taken_at)
                _put(packed, path)
                size = f" ({_size(path.stat().st_size)})"
            else:
                if path.exists():
                    path.rmdir()  # This fails unless the folder is empty.
                contents.folder.rename(path)
                size = ""
    except OSError as error:
        raise BundleProblem(
            f"{path} cannot be written: {error.strerror or error}", "Set another path with -o"
        ) from None
    return Written(_told(contents, path, size, namespace), _is_complete(contents, namespace))


def _check_free(path: Path) -> None:
    if path.is_dir():
        if any(path.iterdir()) or path.name.endswith(ARCHIVES):
            raise UsageProblem(
                f"{path} is a folder that is not empty", "Set a new folder with -o; nothing is overwritten"
            )
    elif path.exists() or path.is_symlink():
        raise UsageProblem(f"{path} exists", "Set a new file with -o; nothing is overwritten")


def _check_something(contents: _Contents) -> None:
    if any(entry["seen"] for entry in contents.kinds.values()):
        return
    why = contents.kinds.get("Pod", {}).get("why") or "no kind could be read"
    raise BundleProblem(
        f"nothing can be recorded: {why}",
        "Check: kubectl auth can-i --list, and kubectl get --raw='/readyz?verbose'",
    )


def _put(written: Path, path: Path) -> None:
    """Give the file its name, unless another file has it by now."""
    try:
        os.link(written, path)
    except FileExistsError:
        raise
    except OSError:  # Not every file system supports links.
        _check_free(path)
        written.rename(path)


def _write_all(contents: _Contents, source: ReadableCluster, kinds: list[str], namespace: str) -> None:
    (contents.folder / "objects").mkdir(mode=0o700)
    kinds = [kind for kind in kinds if kind_named(kind) is not None or "." in kind]
    with ExitStack() as files:
        for kind, objects in _read_lists(contents, source, kinds, namespace, files).items():
            _write_kind(contents, source, kind, namespace, objects, files)
        extensions = _extensions(contents, source, namespace)
        for kind, objects in _read_lists(contents, source, extensions, namespace, files).items():
            _write_kind(contents, source, kind, namespace, objects, files)
    _write_logs(contents, source, namespace)
    snapshot = source.snapshot
    unknown = snapshot.taken_at == UNKNOWN_TIME
    manifest = {
        "format": FORMAT,
        "takenAt": None if unknown else snapshot.taken_at.isoformat().replace("+00:00", "Z"),
        "kubernetes": snapshot.source.kubernetes,
        "context": source.context,
        "namespace": namespace or source.namespace,
        "namespaces": sorted(contents.namespaces),
        "kinds": contents.kinds,
        "logs": contents.refused_logs,
        "notListed": contents.not_listed,
    }
    body = msgspec.json.format(_ENCODER.encode(manifest), indent=2) + b"\n"
    _write(contents.folder / MANIFEST, [body])


def _extensions(contents: _Contents, source: ReadableCluster, namespace: str) -> list[str]:
    """The kinds of extensions that have objects and are not recorded yet."""
    before = set(source.snapshot.problems)
    source.list_extensions((), namespace or None)
    contents.not_listed += [problem for problem in source.snapshot.problems if problem not in before]
    return [kind for kind in source.snapshot.kinds() if "." in kind and kind not in contents.kinds]


def _write_kind(
    contents: _Contents, source: ReadableCluster, kind: str, namespace: str, read: _ListRead, files: ExitStack
) -> None:
    asked = namespace if is_namespaced(kind) else ""
    count, why = len(read.places), read.why
    if why and not count and is_namespaced(kind) and not asked:
        # Not allowed to list everywhere: read at least the namespace of the context.
        read = _read_lists(contents, source, [kind], source.namespace, files)[kind]
        count = len(read.places)
        if not read.why:
            _write_list(contents, kind, read)
            contents.kinds[kind] = {"seen": [source.namespace], "why": f"only namespace {source.namespace}: {why}"}
            return
    _write_list(contents, kind, read)
    if why:
        contents.kinds[kind] = {"seen": "part" if count else [], "why": why}
    elif limited := source.snapshot.limitation(Want(kind, asked)):
        contents.kinds[kind] = {"seen": "part", "why": limited}
    elif asked:
        contents.kinds[kind] = {"seen": [asked], "why": f"only namespace {asked} was recorded"}
    else:
        contents.kinds[kind] = {"seen": "all"}


@dataclass
class _ListRead:
    """The objects of a kind, encoded in a file: where each is, and why others are missing."""

    file: IO[bytes]
    places: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    version: str = ""
    why: str = ""


def _read_lists(
    contents: _Contents, source: ReadableCluster, kinds: list[str], namespace: str, files: ExitStack
) -> dict[str, _ListRead]:
    """The objects of all kinds, each with a temporary file of its own, since a source may mix them."""
    lists = {}
    for kind in kinds:
        file = files.enter_context(tempfile.TemporaryFile(dir=contents.folder.parent))  # noqa: SIM115  # the stack closes it
        lists[kind] = _ListRead(file)
    for kind, obj in source.recordable(kinds, namespace):
        read = lists[kind]
        if isinstance(obj, CannotSee):
            read.why = obj.why
            continue
        read.version = read.version or obj.api_version
        key = (obj.namespace, obj.name)
        read.places[key] = (read.file.tell(), len(obj.body))
        read.file.write(obj.body)
        if obj.namespace:
            contents.namespaces.add(obj.namespace)
        if kind == "Pod":
            contents.wanted_logs.update(_logs_of(source, key, obj.body))
    return lists


def _write_list(contents: _Contents, kind: str, read: _ListRead) -> None:
    """Write the objects of a kind, sorted by namespace and name."""
    if not read.places and read.why:
        return
    short, _, group = kind.partition(".")
    row = kind_named(kind)
    version = read.version or (row.api_version if row else f"{group}/v1")
    head = b'{"apiVersion":' + _ENCODER.encode(version) + b',"items":[\n'
    tail = b'\n],"kind":' + _ENCODER.encode(f"{short}List") + b"}\n"
    _write(contents.folder / "objects" / f"{kind}.json", _joined(read.file, read.places, head, tail))
    contents.objects += len(read.places)


def _joined(
    file: IO[bytes], places: dict[tuple[str, str], tuple[int, int]], head: bytes, tail: bytes
) -> Iterator[bytes]:
    yield head
    for number, key in enumerate(sorted(places)):
        start, length = places[key]
        file.seek(start)
        yield (b",\n" if number else b"") + file.read(length)
    yield tail


def _logs_of(source: ReadableCluster, key: tuple[str, str], body: bytes) -> Iterator[LogWant]:
    """The logs that may show why a pod is in trouble; none for a healthy pod."""
    read = source.snapshot.get(Ref("Pod", *key))
    for pod in (read,) if read else decode_object("Pod", body).objects:
        if not isinstance(pod, Pod) or not troubled(pod):
            continue
        for status in all_statuses(pod):
            state = status.state
            if state and (state.running or state.terminated):
                yield LogWant(pod.namespace, pod.name, status.name)
            if status.restart_count or (status.last_state and status.last_state.terminated):
                yield LogWant(pod.namespace, pod.name, status.name, previous=True)


def _write_logs(contents: _Contents, source: ReadableCluster, namespace: str) -> None:
    here = (want for want in source.snapshot.logs() if not namespace or want.namespace == namespace)
    own = () if namespace or source.snapshot.closed else (READYZ,)
    wants = sorted({*contents.wanted_logs, *here, *own})
    for skipped in wants[MOST_LOGS:]:
        contents.refused_logs[_log_name(skipped)] = f"only the first {MOST_LOGS} logs were recorded"
    wants = wants[:MOST_LOGS]
    for start in range(0, len(wants), _LOGS_AT_ONCE):
        source.gather(frozenset(wants[start : start + _LOGS_AT_ONCE]))
    for want in wants:
        try:
            tail = source.snapshot.log(want)
        except KeyError:
            contents.refused_logs[_log_name(want)] = source.snapshot.refusal(want) or "it could not be read"
            continue
        if tail is not None:
            _write(contents.folder / "logs" / f"{_log_name(want)}.log", ["\n".join((*tail.lines, "")).encode()])
            contents.logs += 1


def _log_name(want: LogWant) -> str:
    if want == READYZ:
        return READYZ.container
    parts = [want.node, want.container] if want.node else [want.namespace, want.pod, want.container]
    if any(not part or part in (".", "..") or "/" in part or "\x00" in part for part in parts):
        raise BundleProblem(f"{want} is not a valid file name", "Exclude its namespace with -n")
    return "/".join(parts) + (".previous" if want.previous else "")


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    _make_private(path.parent)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in chunks:
            file.write(chunk)


def _make_private(folder: Path) -> None:
    if not folder.is_dir():
        _make_private(folder.parent)  # mkdir would create parents that others may read.
        folder.mkdir(mode=0o700)


def _told(contents: _Contents, path: Path, size: str, namespace: str) -> str:
    kinds = sum(1 for entry in contents.kinds.values() if entry["seen"])
    text = (
        f"wrote {counted(contents.objects, 'object')} of {counted(kinds, 'kind')} and {counted(contents.logs, 'log')} to "
        f"{path}{size}, without secret values"
    )
    missing = sorted(f"{kind} ({entry['why']})" for kind, entry in contents.kinds.items() if not entry["seen"])
    whole: tuple[Any, ...] = ("all", [namespace], [])
    partial = sorted(f"{kind} ({entry['why']})" for kind, entry in contents.kinds.items() if entry["seen"] not in whole)
    if partial:
        text += f"\nrecorded in part: {', '.join(partial)}"
    for why, logs in sorted(_by_reason(contents.refused_logs).items()):
        text += f"\n{counted(len(logs), 'log')} not recorded ({why}): {', '.join(sorted(logs)[:_LOGS_NAMED])}"
        text += f" and {len(logs) - _LOGS_NAMED} more" if len(logs) > _LOGS_NAMED else ""
    if missing:
        text += f"\nnot recorded: {', '.join(missing)}"
    return "\n".join((text, *contents.not_listed))


def _by_reason(refused: dict[str, str]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for place, why in refused.items():
        reasons.setdefault(why, []).append(place)
    return reasons


def _is_complete(contents: _Contents, namespace: str) -> bool:
    """Whether everything that exists was recorded: a cluster without metrics-server is complete."""
    if contents.refused_logs or contents.not_listed:
        return False
    return all(
        entry["seen"] == "all" or entry["seen"] == [namespace] or (is_metrics(kind) and entry["why"] in _NO_METRICS)
        for kind, entry in contents.kinds.items()
    )


def _size(count: int) -> str:
    if count < 1 << 20:
        return f"{-(-count // 1024)} KiB"
    return f"{count / (1 << 20):.1f} MiB"
