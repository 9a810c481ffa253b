"""The objects of files, folders and standard input."""

from __future__ import annotations

import codecs
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from kubedoctor.cluster.manifests import FileDocument, PassedOver, Path, Place
from kubedoctor.collect.manifests.nodes import NodeProblem, documents
from kubedoctor.collect.manifests.parts import (
    CHART,
    KUSTOMIZATIONS,
    Kustomizations,
    chart_of,
    is_in_kustomization,
    is_input,
    kustomizations,
    unrendered,
)
from kubedoctor.collect.manifests.strangers import is_no_object, is_template, known_stranger, mentions_objects
from kubedoctor.collect.waiting import WAITING
from kubedoctor.problems import BundleProblem

ENDINGS: Final = (".yaml", ".yml", ".json")
STANDARD_INPUT: Final = "-"
MOST_BYTES: Final = 64 << 20
_DOCUMENT: Final = re.compile(r"(?m)^(?=---(?:\s|$))")
_BLANKS: Final = re.compile(r"\s*")
_NOT_APPLIED: Final = frozenset((*KUSTOMIZATIONS, CHART, "values.yaml", "values.yml"))
"""Files of tools: no objects."""
_NO_OBJECT: Final = "it holds no object of Kubernetes"
_TEMPLATE: Final = "is a template that was not rendered"


class ReadFiles(NamedTuple):
    """documents: every object, in the order of the files; what cannot be read is a document with a problem. passed: what was
    not read as objects, and why."""

    documents: tuple[FileDocument, ...]
    passed: tuple[PassedOver, ...] = ()


class _File(NamedTuple):
    """named: whether the person named it, and not its folder."""

    path: FilePath
    named: bool


def read_manifests(paths: Sequence[str]) -> ReadFiles:
    """Lists become their items. Files that hold no objects, and parts of charts and kustomizations, are passed over.

    Raises BundleProblem for a path that does not exist, or for a folder without files to read.
    """
    found: list[FileDocument] = []
    passed: list[PassedOver] = []
    for path in dict.fromkeys(paths):
        if path == STANDARD_INPUT:
            found += _of_text(_standard_input(), "<stdin>", passed, named=True)
            continue
        root = FilePath(path)
        files = _files(root, path)
        built = kustomizations(file.path for file in files)
        found += built.broken
        charts: set[FilePath] = set()
        for file in files:
            found += _of_file(file, built, charts, passed)
        passed += unrendered(charts, built if root.is_dir() else built._replace(folders=frozenset()), root)
    return ReadFiles(tuple(found), tuple(dict.fromkeys(passed)))


def _standard_input() -> str:
    if sys.stdin is None or sys.stdin.isatty():
        raise BundleProblem(
            "-f - reads standard input, which is a terminal",
            "Pipe manifests: kustomize build . | kubedoctor check -f -",
        )
    with WAITING.for_long("waiting for standard input"):
        body = sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        return _decoded(body)
    except ValueError as error:
        raise BundleProblem(f"standard input cannot be read: {error}", "Pipe YAML or JSON") from None


def _files(root: FilePath, path: str) -> tuple[_File, ...]:
    try:
        if not root.is_dir():
            root.stat()
            return (_File(root, named=True),)
        files = tuple(_File(file, named=False) for file in sorted(root.rglob("*")) if _is_manifest(file, root))
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
    if not files:
        raise BundleProblem(f"{path} holds no .yaml, .yml or .json file", "Name a file or another folder with -f")
    return files


def _is_manifest(file: FilePath, folder: FilePath) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return (file.suffix in ENDINGS or file.name in _NOT_APPLIED) and not hidden and file.is_file()


def _of_file(
    file: _File, built: Kustomizations, charts: set[FilePath], passed: list[PassedOver]
) -> Iterator[FileDocument]:
    path = file.path
    chart = chart_of(path.absolute())
    if chart is not None:
        charts.add(_typed(chart, path))
        return
    name = str(path)
    if path.name in _NOT_APPLIED or is_input(path, built):
        if file.named:
            passed.append(PassedOver(name, "a file that kustomize or Helm reads"))
        return
    try:
        body = path.read_bytes()
        text = _decoded(body)
    except OSError as error:
        yield FileDocument(Place(name, 1, 1), {}, problem=error.strerror or str(error))
        return
    except ValueError as error:
        yield FileDocument(Place(name, 1, 1), {}, problem=str(error))
        return
    partial = not file.named and is_in_kustomization(path, built)
    for document in _of_text(text, name, passed, named=file.named):
        yield replace(document, partial=True) if partial else document


def _typed(folder: FilePath, file: FilePath) -> FilePath:
    """The folder as the path of its file spells it."""
    depth = len(file.absolute().parts) - len(folder.parts)
    return file.parents[depth - 1] if depth <= len(file.parents) else folder


def _decoded(body: bytes) -> str:
    """Raises ValueError, in words for people."""
    if len(body) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")
    wide = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return body.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is no UTF-8 text") from None


def _of_text(text: str, name: str, passed: list[PassedOver], *, named: bool) -> Iterator[FileDocument]:
    """One unreadable document does not hide the others. named: what holds no object is refused, not passed over."""
    for part, line in _split(text):
        try:
            for document in documents(part, name, line):
                yield from _kept(document, part, passed, named=named)
        except NodeProblem as problem:
            if is_template(part, readable=False):
                passed.append(PassedOver(name, _TEMPLATE, "helm template CHART | kubedoctor check -f -"))
            elif named or mentions_objects(part):
                yield FileDocument(problem.place, {}, problem=problem.why)
            else:
                passed.append(PassedOver(name, _NO_OBJECT))


def _kept(document: FileDocument, part: str, passed: list[PassedOver], *, named: bool) -> Iterator[FileDocument]:
    name, data = document.place.file, document.data
    if is_template(part, readable=True):
        passed.append(PassedOver(name, _TEMPLATE, "helm template CHART | kubedoctor check -f -"))
    elif stranger := known_stranger(data):
        passed.append(PassedOver(name, stranger))
    elif data and not named and is_no_object(data):
        passed.append(PassedOver(name, _NO_OBJECT))
    else:
        yield from _objects(document)


def _split(text: str) -> Iterator[tuple[str, int]]:
    """The documents of a file, each with the lines before it."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            yield from tuple(_split_json(text))
        except (json.JSONDecodeError, RecursionError):
            pass  # YAML may begin so too
        else:
            return
    line = 0
    for part in _DOCUMENT.split(text):
        yield part, line
        line += part.count("\n")


def _split_json(text: str) -> Iterator[tuple[str, int]]:
    """Values one after another, as JSON allows and YAML does not; each with blanks for what is before it on its line. Tabs
    are no part of JSON's texts."""
    decoder = json.JSONDecoder()
    end = 0
    while (start := _after_blanks(text, end)) < len(text):
        _, end = decoder.raw_decode(text, start)
        column = start - (text.rfind("\n", 0, start) + 1)
        yield " " * column + text[start:end].replace("\t", " "), text.count("\n", 0, start)


def _after_blanks(text: str, start: int) -> int:
    match = _BLANKS.match(text, start)
    return match.end() if match is not None else start


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
