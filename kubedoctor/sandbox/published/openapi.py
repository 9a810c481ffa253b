"""OpenAPI v3 documents, generated on request from the models of the official Python client: for `kubectl explain`.

kubectl reads from them: the schemas with their `x-kubernetes-group-version-kind`, and whether the PATCH of a resource
takes `fieldValidation` (then the server validates, and its refusal is shown).
"""

from __future__ import annotations

import re
from functools import cache
from types import ModuleType
from typing import Any

from kubedoctor.sandbox.exchange import Object, no_such_path
from kubedoctor.sandbox.resources import Resource, Resources

_LIST = re.compile(r"[Ll]ist\[(.*)\]")
_MODEL = re.compile(r"(?P<group>[A-Z][a-z]+)??(?P<version>V\d+(?:(?:alpha|beta)\d+)?)(?P<kind>.+)")
_MAP = re.compile(r"[Dd]ict\[\w+,\s*(.*)\]")
_PLAIN: dict[str, Object] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "bytearray": {"type": "string", "format": "byte"},
}
_PARAMETERS = [
    {"name": parameter, "in": "query", "schema": {"type": "string"}}
    for parameter in ("dryRun", "fieldManager", "fieldValidation")
]


def index(resources: Resources) -> Object:
    """`/openapi/v3`: the paths of the documents of all groups and versions."""
    paths = [
        f"apis/{group}/{version}" if group else f"api/{version}"
        for group, versions in resources.groups().items()
        for version in versions
    ]
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in paths}}


def document(resources: Resources, group: str, version: str) -> Object:
    """`/openapi/v3/apis/GROUP/VERSION`."""
    rows = resources.groups().get(group, {}).get(version)
    if not rows:
        raise no_such_path()
    paths: Object = {}
    schemas: Object = {}
    models: set[str] = set()
    for row in rows:
        paths.update(_paths(row))
        name, schema, needs = _schema_of(row)
        if schema is not None:
            schemas[_spelt(name)] = {**schema, "x-kubernetes-group-version-kind": [_kind(row)]}
            models |= needs
    added: set[str] = set()
    while missing := models - added:
        for name in missing:
            schema, needs = _model_schema(name)
            schemas.setdefault(_spelt(name), schema)
            models |= needs
        added |= missing
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "recording"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _kind(row: Resource) -> Object:
    return {"group": row.group, "version": row.version, "kind": row.kind}


def _paths(row: Resource) -> Object:
    root = f"/apis/{row.group}/{row.version}" if row.group else f"/api/{row.version}"
    collection = f"{root}/namespaces/{{namespace}}/{row.plural}" if row.namespaced else f"{root}/{row.plural}"

    def operation(action: str) -> Object:
        return {
            "operationId": f"{action}{row.kind}",
            "parameters": _PARAMETERS,
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-group-version-kind": _kind(row),
            "x-kubernetes-action": action,
        }

    return {
        collection: {"get": operation("list"), "post": operation("post")},
        f"{collection}/{{name}}": {"get": operation("get"), "patch": operation("patch")},
    }


def _schema_of(row: Resource) -> tuple[str, Object | None, set[str]]:
    if row.schema is not None:
        return f"{row.group}.{row.version}.{row.kind}", row.schema, set()
    version, group = row.version[:1].upper() + row.version[1:], (row.group.split(".")[0] or "core").capitalize()
    for name in (f"{version}{row.kind}", f"{group}{version}{row.kind}"):
        model = getattr(_models(), name, None)
        if model is not None and "metadata" in model.openapi_types:
            return name, *_model_schema(name)
    return row.kind, None, set()


def load_models() -> None:
    """Imports the client's models, which takes about a second, before the first document needs them."""
    _models()


@cache
def _models() -> ModuleType:
    import kubernetes.client.models

    module: ModuleType = kubernetes.client.models
    return module


@cache
def _model_schema(name: str) -> tuple[Object, set[str]]:
    """The schema of one model, and the names of the models that it refers to."""
    model: Any = getattr(_models(), name)
    fields = {field.serialization_alias or attribute: field for attribute, field in model.model_fields.items()}
    needs: set[str] = set()
    properties: Object = {}
    for attribute, kind in model.openapi_types.items():
        spelt = model.attribute_map[attribute]
        schema = _typed(kind, needs)
        if (field := fields.get(spelt)) is not None and field.description:
            schema["description"] = field.description
        properties[spelt] = schema
    result: Object = {
        "type": "object",
        "description": _summary(model.__doc__ or ""),
        "properties": properties,
    }
    required = [spelt for spelt, field in fields.items() if field.is_required() and spelt in properties]
    if required:
        result["required"] = required
    return result, needs


def _summary(docstring: str) -> str:
    return " ".join(docstring.strip().split("\n\n")[0].split())


def _spelt(model: str) -> str:
    """`V1ObjectMeta` is `v1.ObjectMeta`: kubectl prints what follows the last dot."""
    parts = _MODEL.fullmatch(model)
    if parts is None:
        return model
    return ".".join(part for part in ((parts["group"] or "").lower(), parts["version"].lower(), parts["kind"]) if part)


def _typed(kind: str, needs: set[str]) -> Object:
    if listed := _LIST.fullmatch(kind):
        return {"type": "array", "items": _typed(listed[1], needs)}
    if mapped := _MAP.fullmatch(kind):
        return {"type": "object", "additionalProperties": _typed(mapped[1], needs)}
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if hasattr(_models(), kind):
        needs.add(kind)
        # `kubectl explain POD.FIELD` then prints it twice, but without it a list of fields shows "<no description>".
        about = _summary(getattr(_models(), kind).__doc__ or "")
        return {"description": about, "allOf": [{"$ref": f"#/components/schemas/{_spelt(kind)}"}]}
    return {"type": "object"}
