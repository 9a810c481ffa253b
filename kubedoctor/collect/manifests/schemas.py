"""Where the schemas of built-in kinds come from: the cluster's OpenAPI document, else the package `kubernetes-validate`, which
ships those of every release, else the models of the official client, which are of one release."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from kubedoctor.cluster.grammar.versions import Version, VersionError
from kubedoctor.cluster.kinds.resources import KINDS
from kubedoctor.collect.live.cluster import LiveSource
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.replay.validation.schemas import Schema, Schemas

_PACKAGE: Final = "kubernetes_validate"
_FOLDER: Final = re.compile(r"v(\d+)\.(\d+)\.\d+-local")
_RELEASE: Final = re.compile(r"release-(\d+\.\d+)")
_TYPES: Final = re.compile(r"openapi_types\b[^=\n]*=\s*(\{.*?\n    \})", re.DOTALL)
_NAMES: Final = re.compile(r"attribute_map\b[^=\n]*=\s*(\{.*?\n    \})", re.DOTALL)
_FIELD: Final = re.compile(r"(?m)^    (\w+): (?!Optional\b|ClassVar\b|Any\b)")
_NOT_NONE: Final = re.compile(r"Invalid value for `(\w+)`, must not be `None`")
_WITH_DEFAULT: Final = re.compile(r"(?m)^    (\w+): [^\n]*default=")
_LIST: Final = re.compile(r"[Ll]ist\[(.*)\]")
_MAP: Final = re.compile(r"[Dd]ict\[\w+,\s*(.*)\]")
_PLAIN: Final[dict[str, Schema]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "datetime": {"$ref": "#/definitions/meta.v1.Time"},
    "bytes": {"type": "string", "format": "byte"},
    "bytearray": {"type": "string", "format": "byte"},
}
_OPEN: Final[Schema] = {}


def schemas_for(source: ReadableCluster | None, version: str = "") -> Schemas:
    """The schemas of the cluster's version, or of the one that is named, as near as there are any. version: `1.34`."""
    if isinstance(source, LiveSource):
        body = source.openapi()
        if body:
            definitions = msgspec.json.decode(body).get("definitions")
            if isinstance(definitions, dict) and definitions:
                return Schemas(definitions, _minor(source.snapshot.source.kubernetes))
    wanted = version or (_minor(source.snapshot.source.kubernetes) if source is not None else "")
    return _of_package(wanted) or _of_client()


def _minor(text: str) -> str:
    try:
        return ".".join(map(str, Version.parse(text).components[:2]))
    except VersionError:
        return ""


def _of_package(version: str) -> Schemas | None:
    """Of the package that ships them, where it is installed: of the release, else of the newest."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "kubernetes-json-schema"
    found = {
        f"{match[1]}.{match[2]}": path for path in folder.glob("v*-local") if (match := _FOLDER.fullmatch(path.name))
    }
    if not found:
        return None
    newest = max(found, key=lambda text: tuple(map(int, text.split("."))))
    chosen = version if version in found else newest
    try:
        body = msgspec.json.decode((found[chosen] / "_definitions.json").read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    definitions = body.get("$defs") or body.get("definitions") or {}
    return Schemas(definitions, chosen) if definitions else None


def _of_client() -> Schemas:
    """Of the models of the official client, read as text: importing them takes longer than checking a folder of manifests."""
    spec = importlib.util.find_spec("kubernetes.client.models")
    if spec is None or not spec.submodule_search_locations:
        return Schemas({}, "")
    folder = Path(next(iter(spec.submodule_search_locations)))
    match = _RELEASE.search(_text(folder / "__init__.py")[:1000])
    kinds = {(version, kind): name for version, kind, name in _client_kinds(folder)}
    return Schemas({}, match[1] if match else "", find=lambda name: _model(folder, name), kinds=kinds)


def _client_kinds(folder: Path) -> Iterator[tuple[str, str, str]]:
    files = {path.stem for path in folder.glob("*.py")}
    for row in KINDS:
        for version in (row.version, *row.older_versions):
            group = (row.group.split(".")[0] or "core").lower()
            for name in (f"{version.capitalize()}{row.kind}", f"{group.capitalize()}{version.capitalize()}{row.kind}"):
                if _file(name) in files:
                    yield f"{row.group}/{version}" if row.group else version, row.kind, name
                    break


def _file(name: str) -> str:
    """`V1HTTPGetAction` is in `v1_http_get_action.py`."""
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z\d])([A-Z])", r"\1_\2", spaced).lower()


@cache
def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


@cache
def _model(folder: Path, name: str) -> Schema | None:
    """A model as a schema."""
    if name.endswith(".Time"):
        return {"type": "string", "format": "date-time"}
    text = _text(folder / f"{_file(name)}.py")
    types, names = _TYPES.search(text), _NAMES.search(text)
    if types is None or names is None:
        return None
    kinds, spelled = ast.literal_eval(types[1]), ast.literal_eval(names[1])
    needed = {*_FIELD.findall(text)} - {*_WITH_DEFAULT.findall(text)} | {*_NOT_NONE.findall(text)}
    properties = {spelled[attribute]: _typed(kind, spelled[attribute]) for attribute, kind in kinds.items()}
    required = [spelled[attribute] for attribute in kinds if attribute in needed]
    return {"type": "object", "properties": properties, "required": required}


_QUANTITIES: Final = frozenset(
    ("limits", "requests", "capacity", "allocatable", "hard", "used", "min", "max", "default")
)
_AMOUNT: Final[Schema] = {"$ref": "#/definitions/resource.Quantity"}
_MORE_QUANTITIES: Final = frozenset(("defaultRequest", "maxLimitRequestRatio", "overhead"))
_SINGLE_QUANTITIES: Final = frozenset(("sizeLimit", "divisor", "averageValue"))


def _typed(kind: str, field: str) -> Schema:
    if match := _LIST.fullmatch(kind):
        return {"type": "array", "items": _typed(match[1], "")}
    if match := _MAP.fullmatch(kind):
        inner = _AMOUNT if match[1] == "str" and field in _QUANTITIES | _MORE_QUANTITIES else _typed(match[1], "")
        return {"type": "object", "additionalProperties": inner}
    if kind == "str" and field in _SINGLE_QUANTITIES:
        return _AMOUNT
    if kind in _PLAIN:
        return _PLAIN[kind]
    return _OPEN if kind in ("object", "IntOrString", "AnyOf") else {"$ref": f"#/definitions/{kind}"}


def definitions_of(source: ReadableCluster | None) -> tuple[Mapping[str, Any], ...]:
    """The CustomResourceDefinitions of the cluster, whole; none where they cannot be read."""
    if source is None:
        return ()
    found = []
    for _, item in source.recordable(("CustomResourceDefinition",)):
        body = getattr(item, "body", None)
        if body is not None:
            found.append(msgspec.json.decode(body))
    return tuple(found)
