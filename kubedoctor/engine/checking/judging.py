"""What an API server would say of each document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.cluster.kinds.manifests import (
    DeadKey,
    DeprecatedVersion,
    Manifest,
    ManifestRefusal,
    ManifestSubject,
    MissingPort,
)
from kubedoctor.cluster.kinds.meta import KubernetesObject, ObjectMeta
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.manifests import FileDocument
from kubedoctor.cluster.seen.decoding import convert_object, kind_of_data
from kubedoctor.engine.checking.surroundings import Surroundings
from kubedoctor.replay.validation.expressions import TRANSITIONS
from kubedoctor.replay.validation.fields import FieldFault, FieldViolation, path_text
from kubedoctor.replay.validation.objects import violations
from kubedoctor.replay.validation.ports import unnamed_ports
from kubedoctor.replay.validation.schemas import Schema
from kubedoctor.replay.validation.versions import REMOVED, UNSET_KEYS, unset_keys

SYNTAX: Final = "syntax"
TWICE: Final = "in the files twice"
_CLUSTER_SCOPED: Final = frozenset(("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy", "ComponentStatus"))


_OF_COMPONENTS: Final = (".config.k8s.io", "kubeadm.k8s.io", "audit.k8s.io")
"""Groups of configuration files that components read, and that no API server serves."""


class Judged(msgspec.Struct, frozen=True):
    """One document. obj: the object as it would be; None where it is refused or cannot be read. gap: what was not checked of
    it, as a clause. transitions: whether rules compare a change of it with the present object."""

    document: FileDocument
    manifest: Manifest
    obj: KubernetesObject | None
    gap: str = ""
    transitions: bool = False

    @property
    def subject(self) -> Ref:
        return self.manifest.subject


class _Kind(msgspec.Struct, frozen=True):
    """What is known of a kind. refusal: why it is not served."""

    namespaced: bool = True
    schema: Schema | None = None
    custom: bool = False
    refusal: FieldViolation | None = None
    gap: str = ""


def judged(documents: Iterable[FileDocument], around: Surroundings) -> tuple[Judged, ...]:
    """In the order of the files. An object that is there twice is refused nothing: the second replaces the first, and is a
    violation of its own. Objects without a name are each their own. Parts are judged as far as nothing can complete them."""
    found: list[Judged] = []
    seen: dict[Ref, FileDocument] = {}
    counts: dict[Ref, int] = {}
    for document in documents:
        one = _judged(document, around)
        if document.partial:
            found.append(one)
            continue
        if not _is_named(document):
            numbered = counts[one.subject] = counts.get(one.subject, 0) + 1
            found.append(_numbered(one, numbered))
            continue
        first = seen.setdefault(one.subject, document)
        if first is not document:
            text = f"{one.subject.title} is also in {first.name}: applied together, the later one replaces it"
            twice = ManifestRefusal(fault=TWICE, path="metadata.name", text=text)
            refusals = (*(one.manifest.refusals or ()), twice)
            one = msgspec.structs.replace(one, manifest=msgspec.structs.replace(one.manifest, refusals=refusals))
        found.append(one)
    return tuple(found)


def _is_named(document: FileDocument) -> bool:
    metadata = document.data.get("metadata")
    return isinstance(metadata, Mapping) and bool(metadata.get("name"))


def _numbered(one: Judged, number: int) -> Judged:
    """With a name of its own beside those before it that have none either."""
    described = one.manifest.describes
    if number == 1 or not described.kind:
        return one
    replace = msgspec.structs.replace
    manifest = replace(one.manifest, describes=replace(described, name=f"{described.name} ({number})"))
    obj = one.obj
    if obj is not None:
        obj = replace(obj, metadata=replace(obj.metadata, name=f"{obj.name}-{number}"))
    return replace(one, manifest=manifest, obj=obj)


def _judged(document: FileDocument, around: Surroundings) -> Judged:
    data = document.data
    if document.problem:
        refusal = ManifestRefusal(fault=SYNTAX, text=document.problem)
        return Judged(document, _manifest(document, "", None, (refusal,)), None)
    if missing := tuple(_without_type(data)):
        return Judged(document, _manifest(document, "", None, missing), None)
    kind = _kind(str(data["apiVersion"]), str(data["kind"]), around)
    namespace = _namespace(data, around) if kind.namespaced else ""
    notes: list[str] = []
    if kind.refusal is not None:
        refusals: tuple[ManifestRefusal, ...] = (_stated(kind.refusal),)
    else:
        doubles = [
            FieldViolation(path, FieldFault.DUPLICATE_KEY, f'key "{path[-1]}" already set in map')
            for path, _ in document.doubles
        ]
        found = violations(
            data,
            kind.schema,
            around.schemas,
            custom=kind.custom,
            namespaced=kind.namespaced,
            before=doubles,
            note=notes.append,
        )
        refusals = tuple(_stated(one) for one in found if not (document.partial and one.fault is FieldFault.REQUIRED))
    manifest = _manifest(document, namespace, around, refusals)
    obj = _object(data, namespace) if not refusals and not document.partial else None
    return Judged(document, manifest, obj, kind.gap or _not_evaluated(notes), TRANSITIONS in notes)


def _not_evaluated(notes: list[str]) -> str:
    """As a clause."""
    told = [note for note in dict.fromkeys(notes) if note != TRANSITIONS]
    more = f", and {len(told) - 1} more" if len(told) > 1 else ""
    return f"not evaluated: {told[0]}{more}" if told else ""


def _without_type(data: Mapping[str, Any]) -> Iterator[ManifestRefusal]:
    if not data.get("apiVersion") and not data.get("kind"):
        text = "apiVersion and kind: Required value: it is no object of Kubernetes"
        yield ManifestRefusal(fault=FieldFault.REQUIRED.value, text=text)
        return
    for key in ("apiVersion", "kind"):
        if not isinstance(data.get(key), str) or not data[key]:
            yield ManifestRefusal(fault=FieldFault.REQUIRED.value, path=key, text=f"{key}: Required value: must be set")


def _kind(version: str, kind: str, around: Surroundings) -> _Kind:
    row = kind_named(kind)
    group = version.rpartition("/")[0]
    custom = around.custom.get((version, kind))
    if custom is not None:
        return _Kind(custom.namespaced, custom.schema, custom=True)
    namespaced = row.namespaced if row is not None and row.group == group else kind not in _CLUSTER_SCOPED
    schema = around.schemas.of(version, kind)
    removed = REMOVED.get((version, kind))
    if schema is not None and not (removed is not None and removed.minor <= around.minor):
        return _Kind(namespaced, schema)
    if removed is not None and removed.minor <= around.minor:
        return _Kind(namespaced, refusal=_not_served(version, kind, removed.instead))
    if group.endswith(_OF_COMPONENTS):
        return _Kind(namespaced, refusal=_not_served(version, kind, ""))
    if _is_built_in(group):
        if others := around.schemas.versions_of(kind):
            return _Kind(namespaced, refusal=_not_served(version, kind, others[-1]))
        if near := nearest_word(kind, {name for at, name in around.schemas.kinds() if at == version}, 1):
            return _Kind(namespaced, refusal=_not_served(version, kind, near[0]))
    elif around.knows_all:
        served = sorted(at for at, name in around.custom if name == kind and at.startswith(f"{group}/"))
        return _Kind(namespaced, refusal=_not_served(version, kind, served[-1] if served else ""))
    elif group.count(".") == 0:
        return _Kind(namespaced, refusal=_not_served(version, kind, ""))
    return _Kind(namespaced, custom=not _is_built_in(group), gap=f"the fields of {kind} ({version}): no schema")


def _not_served(version: str, kind: str, instead: str) -> FieldViolation:
    says = f'no matches for kind "{kind}" in version "{version}"'
    return FieldViolation(("apiVersion",), FieldFault.VERSION, says, instead)


def _is_built_in(group: str) -> bool:
    return group in ("", "apps", "batch", "autoscaling", "policy", "extensions") or group.endswith(".k8s.io")


def _namespace(data: Mapping[str, Any], around: Surroundings) -> str:
    metadata = data.get("metadata")
    named = metadata.get("namespace") if isinstance(metadata, Mapping) else None
    return named if isinstance(named, str) and named else around.namespace


def _stated(violation: FieldViolation) -> ManifestRefusal:
    text = violation.says if violation.fault is FieldFault.VERSION else violation.text
    return ManifestRefusal(
        fault=violation.fault.value, path=path_text(violation.path), text=text, nearest=violation.nearest
    )


def _manifest(
    document: FileDocument, namespace: str, around: Surroundings | None, refusals: tuple[ManifestRefusal, ...]
) -> Manifest:
    data = document.data
    metadata = data.get("metadata")
    named = metadata.get("name") or metadata.get("generateName") if isinstance(metadata, Mapping) else None
    version, kind = data.get("apiVersion"), data.get("kind")
    subject = ManifestSubject()
    if isinstance(version, str) and isinstance(kind, str) and kind:
        subject = ManifestSubject(api_version=version, kind=kind_of_data(data), name=str(named or "(no name)"))
    return Manifest(
        metadata=ObjectMeta(name=document.name, namespace=namespace),
        describes=subject,
        refusals=refusals or None,
        dead_keys=tuple(_dead_keys(data)) or None,
        missing_ports=None if document.partial else tuple(_missing_ports(data)) or None,
        deprecated=_deprecated(str(version), str(kind), around) if around is not None else None,
    )


def _dead_keys(data: Mapping[str, Any]) -> Iterator[DeadKey]:
    for path, key in unset_keys(data):
        unset = UNSET_KEYS[key]
        yield DeadKey(path=path_text(path), key=key, instead=unset.instead, since=unset.since)


def _missing_ports(data: Mapping[str, Any]) -> Iterator[MissingPort]:
    for one in unnamed_ports(data):
        yield MissingPort(path=path_text(one.path), port=one.port, container=one.container, names=one.names or None)


def _deprecated(version: str, kind: str, around: Surroundings) -> DeprecatedVersion | None:
    removed = REMOVED.get((version, kind))
    if removed is None or removed.minor <= around.minor:
        return None
    return DeprecatedVersion(api_version=version, removed_in=f"1.{removed.minor}", instead=removed.instead)


def _object(data: Mapping[str, Any], namespace: str) -> KubernetesObject | None:
    """With the namespace that it would get."""
    metadata = dict(data["metadata"]) if isinstance(data.get("metadata"), Mapping) else {}
    if namespace:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    if not metadata.get("name"):
        metadata["name"] = f"{metadata.get('generateName', '')}new"
    decoded = convert_object(kind_of_data(data), {**data, "metadata": metadata})
    return next(iter(decoded.objects), None)
