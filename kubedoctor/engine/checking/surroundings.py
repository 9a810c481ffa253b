"""What the files are checked against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.versions import Version, VersionError
from kubedoctor.replay.validation.schemas import Schema, Schemas, sound
from kubedoctor.replay.validation.versions import NEWEST

NO_CLUSTER = "no cluster was read"


class CustomKind(msgspec.Struct, frozen=True):
    """A served version of a custom kind. schema: None where its definition has none."""

    namespaced: bool
    schema: Schema | None


class Surroundings(msgspec.Struct, frozen=True):
    """schemas: of built-in kinds. custom: by API version and kind. namespace: of objects that name none. offline: no cluster
    was read. knows_all: whether every custom kind is among `custom`. minor: of the version of Kubernetes."""

    schemas: Schemas
    custom: Mapping[tuple[str, str], CustomKind]
    namespace: str = "default"
    offline: bool = False
    knows_all: bool = False
    minor: int = NEWEST


def minor_of(schemas: Schemas, kubernetes: str = "") -> int:
    """Of the cluster, else of the schemas."""
    for text in (kubernetes, schemas.version):
        try:
            return Version.parse(text).minor
        except VersionError:
            continue
    return NEWEST


def custom_kinds(definitions: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], CustomKind]:
    """The served versions that CustomResourceDefinitions define."""
    found: dict[tuple[str, str], CustomKind] = {}
    for definition in definitions:
        spec = definition.get("spec")
        if not isinstance(spec, Mapping) or not isinstance(names := spec.get("names"), Mapping):
            continue
        for version in spec.get("versions") or ():
            if not isinstance(version, Mapping) or version.get("served") is False:
                continue
            shape = version.get("schema")
            schema = shape.get("openAPIV3Schema") if isinstance(shape, Mapping) else None
            key = (f"{spec.get('group')}/{version.get('name')}", str(names.get("kind")))
            found[key] = CustomKind(
                spec.get("scope") != "Cluster", sound(schema) if isinstance(schema, Mapping) else None
            )
    return found
