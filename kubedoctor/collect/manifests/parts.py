"""Which files of a folder are parts of something that is rendered first: of Helm charts and of kustomizations."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Final, NamedTuple

from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.manifests import FileDocument, PassedOver, Place
from kubedoctor.collect.manifests.nodes import NodeProblem, documents

KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
CHART: Final = "Chart.yaml"
_RENDERED_BY_HELM: Final = frozenset(("templates", "charts", "ci", "files", "tests"))
"""Folders of a chart whose files are no objects. What `crds` holds is applied as it is."""
_MEMBERS: Final = ("resources", "bases", "components")
_PATHS: Final = ("patches", "patchesStrategicMerge", "patchesJson6902", "replacements")
_OF_THE_TOOL: Final = ("transformers", "generators", "validators", "configurations", "crds")
_GENERATED: Final = ("configMapGenerator", "secretGenerator")
_MOST_NAMED: Final = 3


class Kustomizations(NamedTuple):
    """folders: those with a kustomization, resolved. inputs: files that they name and that are no objects: patches, settings,
    contents. members: what they are made of, files and folders. broken: kustomizations that cannot be read."""

    folders: frozenset[FilePath]
    inputs: frozenset[FilePath]
    members: frozenset[FilePath]
    broken: tuple[FileDocument, ...]


def chart_of(file: FilePath) -> FilePath | None:
    """The folder of the chart that a file is a part of."""
    for folder in file.parents:
        if (folder / CHART).is_file():
            inner = file.relative_to(folder).parts
            return folder if len(inner) == 1 or inner[0] in _RENDERED_BY_HELM else None
    return None


def outermost_chart(folder: FilePath) -> FilePath:
    """The chart that a chart in its `charts` is rendered with."""
    while folder.parent.name == "charts" and (folder.parent.parent / CHART).is_file():
        folder = folder.parent.parent
    return folder


def kustomizations(files: Iterable[FilePath]) -> Kustomizations:
    """files: every file that is read, and those beside them."""
    folders: dict[FilePath, FilePath] = {}
    for file in files:
        for name in KUSTOMIZATIONS:
            if (file.parent / name).is_file():
                folders.setdefault(_whole(file.parent), file.parent / name)
    inputs: set[FilePath] = set()
    members: set[FilePath] = set()
    broken = []
    for folder, file in folders.items():
        try:
            data = _content(file)
        except NodeProblem as problem:
            broken.append(FileDocument(problem.place, {}, problem=problem.why))
            continue
        inputs.update(_whole(folder / name) for name in _inputs(data))
        members.update(_whole(folder / name) for key in _MEMBERS for name in _texts(data.get(key)))
    return Kustomizations(frozenset(folders), frozenset(inputs), frozenset(members), tuple(broken))


def _whole(path: FilePath) -> FilePath:
    return FilePath(os.path.normpath(path.absolute()))


def _content(file: FilePath) -> Mapping[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NodeProblem(Place(str(file), 1, 1), str(error)) from None
    return next((document.data for document in documents(text, str(file))), {})


def _inputs(data: Mapping[str, Any]) -> Iterator[str]:
    """The names of files that it reads and that are no objects of their own."""
    for key in _PATHS:
        for item in _items(data.get(key)):
            path = item.get("path") if isinstance(item, Mapping) else item
            if isinstance(path, str) and "\n" not in path:
                yield path
    for key in _OF_THE_TOOL:
        yield from _texts(data.get(key))
    for key in _GENERATED:
        for item in _items(data.get(key)):
            if isinstance(item, Mapping):
                names = (*_texts(item.get("files")), *_texts(item.get("envs")), *_texts([item.get("env")]))
                yield from (name.rpartition("=")[2] for name in names)
    for item in _items(data.get("helmCharts")):
        if isinstance(item, Mapping):
            yield from _texts([item.get("valuesFile"), *_items(item.get("additionalValuesFiles"))])
    openapi = data.get("openapi")
    if isinstance(openapi, Mapping):
        yield from _texts([openapi.get("path")])


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [item for item in _items(value) if isinstance(item, str) and item and "\n" not in item]


def is_in_kustomization(file: FilePath, found: Kustomizations) -> bool:
    """It is built with others: it stands beside a kustomization, or one names it."""
    return _whole(file.parent) in found.folders or _whole(file) in found.members


def is_input(file: FilePath, found: Kustomizations) -> bool:
    """A kustomization reads it, and it is no object of its own."""
    return _whole(file) in found.inputs


def unrendered(charts: Iterable[FilePath], found: Kustomizations, root: FilePath) -> Iterator[PassedOver]:
    """What is not checked until it is rendered, with the line that does so. root: what was named, for short paths."""
    tops = sorted({outermost_chart(chart) for chart in charts})
    if tops:
        what, verb = _named(tops, "Helm chart")
        yield PassedOver(what, f"{verb} not rendered", f"helm template {tops[0]} | kubedoctor check -f -")
    built = sorted(_shown(folder, root) for folder in found.folders - found.members)
    if built:
        what, verb = _named(built, "kustomization")
        yield PassedOver(what, f"{verb} not built", f"kustomize build {built[0]} | kubedoctor check -f -")


def _shown(folder: FilePath, root: FilePath) -> FilePath:
    """As it would be typed."""
    if folder.is_relative_to(_whole(root)):
        return root / folder.relative_to(_whole(root))
    return FilePath(os.path.relpath(folder))


def _named(folders: list[FilePath], what: str) -> tuple[str, str]:
    """`2 kustomizations (a, b)`, and the verb that follows."""
    if len(folders) == 1:
        return f"{what} {folders[0]}", "is"
    return f"{counted(len(folders), what)} ({listed(map(str, folders), _MOST_NAMED)})", "are"
