"""The body of a writing request, decoded: JSON, YAML or protobuf (`apiserver/pkg/endpoints/handlers`, v1.37)."""

from __future__ import annotations

import json
from typing import Any

import yaml

from kubedoctor.sandbox.exchange import FailureStatus, Object, Request
from kubedoctor.sandbox.protobuf import decode, is_protobuf
from kubedoctor.sandbox.resources import Resource


def body_of(request: Request) -> Object:
    """An object, or the options of a deletion. An empty body is an empty object; refused when it is none."""
    if is_protobuf(request.body):
        return decode(request.body)
    document = document_of(request)
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise FailureStatus(400, "BadRequest", "The body must be an object.")
    return document


def document_of(request: Request) -> Any:
    """JSON or YAML of any shape; None for an empty body."""
    if not request.body.strip():
        return None
    try:
        if "yaml" in request.headers.get("content-type", ""):
            return yaml.safe_load(request.body)
        return json.loads(request.body)
    except (UnicodeDecodeError, ValueError, RecursionError, yaml.YAMLError) as error:
        first = str(error).splitlines()[0]
        raise FailureStatus(400, "BadRequest", f"The body is neither JSON nor YAML: {first}.") from error


def checked_identity(body: Object, resource: Resource, namespace: str, name: str) -> Object:
    """The body with the kind, the namespace and the name of the request; refused where it says others."""
    kind, version = body.get("kind") or resource.kind, body.get("apiVersion") or resource.api_version
    if (kind, version) != (resource.kind, resource.api_version):
        raise FailureStatus(
            400,
            "BadRequest",
            f"{kind} of {version} cannot be handled as {resource.kind} of {resource.api_version}.",
        )
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise FailureStatus(400, "BadRequest", "The metadata of the body must be an object.")
    metadata = dict(metadata)
    if resource.namespaced:
        if metadata.get("namespace") not in (None, "", namespace):
            message = "the namespace of the provided object does not match the namespace sent on the request"
            raise FailureStatus(400, "BadRequest", message)
        metadata["namespace"] = namespace
    elif metadata.pop("namespace", ""):
        message = "namespace should be empty on cluster-scoped resources"
        raise FailureStatus(400, "BadRequest", message)
    if name:
        own = metadata.setdefault("name", name)
        if own != name:
            message = f"the name of the object ({own}) does not match the name on the URL ({name})"
            raise FailureStatus(400, "BadRequest", message)
    return {**body, "apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
