"""The objects of files, folders and standard input."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final

from kubedoctor.cluster.manifests import FileDocument, Path, Place
from kubedoctor.collect.manifests.nodes import NodeProblem, documents
from kubedoctor.collect.waiting import WAITING
from kubedoctor.problems import BundleProblem

ENDINGS: Final = (".yaml", ".yml", ".json")
STANDARD_INPUT: Final = "-"
MOST_BYTES: Final = 64 << 20
_DOCUMENT: Final = re.compile(r"(?m)^(?=---(?:\s|$))")
_NOT_APPLIED: Final = frozenset(("kustomization.yaml", "kustomization.yml", "Chart.yaml", "values.yaml", "values.yml"))
"""Files of tools: no objects."""


def read_manifests(paths: Sequence[str]) -> tuple[FileDocument, ...]:
    """Every object, in the order of the files; what cannot be read is a document with a problem. Lists become their items.

    Raises BundleProblem for a path that does not exist or cannot be read.
    """
    found: list[FileDocument] = []
    for path in dict.fromkeys(paths):
        for name, text in _texts(path):
            found += _of_text(text, name)
    return tuple(found)


def _texts(path: str) -> Iterator[tuple[str, str]]:
    if path == STANDARD_INPUT:
        if sys.stdin is None or sys.stdin.isatty():
            raise BundleProblem(
                "-f - reads standard input, which is a terminal",
                "Pipe manifests: kustomize build . | kubedoctor check -f -",
            )
        with WAITING.for_long("waiting for standard input"):
            yield "<stdin>", _decoded(sys.stdin.buffer.read(MOST_BYTES + 1), "standard input")
        return
    place = FilePath(path)
    try:
        if place.is_dir():
            _check_folder(place)
            files = sorted(file for file in place.rglob("*") if _is_manifest(file, place))
            if not files:
                raise BundleProblem(
                    f"{path} holds no .yaml, .yml or .json file", "Name a file or another folder with -f"
                )
            for file in files:
                yield str(file), _decoded(file.read_bytes(), str(file))
        else:
            yield path, _decoded(place.read_bytes(), path)
    except FileNotFoundError:
        if path.startswith(("https://", "http://")):
            raise BundleProblem(
                f"{path} is an address, and only files are read", f"Pipe it: curl -sSL {path} | kubedoctor check -f -"
            ) from None
        raise BundleProblem(
            f"{path} does not exist", "Check -f: it takes a file, a folder, or - for standard input"
        ) from None
    except OSError as error:
        raise BundleProblem(f"{path} cannot be read: {error.strerror or error}", f"Check: ls -l {path}") from None


_RENDERED: Final = (
    (("kustomization.yaml", "kustomization.yml"), "is a kustomization", "kustomize build {} | kubedoctor check -f -"),
    (("Chart.yaml",), "is a Helm chart", "helm template {} | kubedoctor check -f -"),
)
"""Folders whose files are parts of objects."""


def _check_folder(folder: FilePath) -> None:
    for files, what, line in _RENDERED:
        if any((folder / name).is_file() for name in files):
            raise BundleProblem(f"{folder} {what}", f"Check what it makes: {line.format(folder)}")


def _is_manifest(file: FilePath, folder: FilePath) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return file.suffix in ENDINGS and not hidden and file.name not in _NOT_APPLIED and file.is_file()


def _decoded(body: bytes, name: str) -> str:
    if len(body) > MOST_BYTES:
        raise BundleProblem(f"{name} is larger than {MOST_BYTES >> 20} MiB", "Name the files of manifests only")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BundleProblem(f"{name} is no UTF-8 text", "Name files of YAML or JSON") from None


def _of_text(text: str, name: str) -> Iterator[FileDocument]:
    """One unreadable document does not hide the others."""
    line = 0
    for part in _DOCUMENT.split(text):
        try:
            for document in documents(part, name, line):
                yield from _objects(document)
        except NodeProblem as problem:
            yield FileDocument(problem.place, {}, problem=problem.why)
        line += part.count("\n")


def _objects(document: FileDocument) -> Iterator[FileDocument]:
    """The object, or the items of a list of objects."""
    data = document.data
    kind = data.get("kind")
    if not data:
        return
    if isinstance(kind, str) and kind.endswith("List") and isinstance(data.get("items"), list):
        for position, item in enumerate(data["items"]):
            yield from _item(document, ("items", position), item)
        return
    yield document


def _item(document: FileDocument, path: Path, item: Any) -> Iterator[FileDocument]:
    place = document.nearest(path)
    if not isinstance(item, Mapping):
        yield FileDocument(place, {}, problem="an item of the list is no object")
        return
    depth = len(path)
    places: dict[Path, Place] = {
        key[depth:]: at for key, at in document.places.items() if key[:depth] == path and key != path
    }
    doubles = tuple((key[depth:], at) for key, at in document.doubles if key[:depth] == path)
    yield from _objects(FileDocument(place, item, places, doubles))
