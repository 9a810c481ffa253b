"""What all kinds share: metadata, conditions, selectors and references."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, dataclass_transform

import msgspec

from kubedoctor.cluster.grammar.redaction import redact_annotations, redact_data, redact_text

Time = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its time zone; a time without one is unreadable."""


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Part(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A piece of an object. Fields that no diagnostic or screen uses are left out."""


class OwnerReference(Part):
    kind: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    controller: bool | None = None


class ObjectMeta(Part):
    """Metadata. `name` and `namespace` are empty only in templates."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    generate_name: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: tuple[OwnerReference, ...] | None = None
    finalizers: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.annotations:
            msgspec.structs.force_setattr(self, "annotations", redact_annotations(self.annotations))


class ManagedFieldsEntry(Part):
    """Who wrote an object last, with which operation, and when. `fields_v1`: the fields that it owns, as JSON
    text, which takes less memory than the objects."""

    manager: str = ""
    operation: str = ""
    subresource: str = ""
    time: Time | None = None
    fields_v1: Any = None

    def __post_init__(self) -> None:
        if isinstance(self.fields_v1, dict):
            msgspec.structs.force_setattr(self, "fields_v1", msgspec.json.encode(self.fields_v1).decode())


class ManagedMeta(ObjectMeta):
    """Metadata of the kinds that people and their tools write: with who wrote what. Controllers' writes of a status are
    left out."""

    managed_fields: tuple[ManagedFieldsEntry, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.managed_fields:
            kept = tuple(entry for entry in self.managed_fields if entry.subresource != "status")
            msgspec.structs.force_setattr(self, "managed_fields", kept)


class Condition(Part):
    """A condition of any kind; `last_transition_time` is None where the component does not set it."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: Time | None = None
    last_update_time: Time | None = None
    last_heartbeat_time: Time | None = None
    last_probe_time: Time | None = None
    observed_generation: int = 0

    def __post_init__(self) -> None:
        if self.message and (redacted := redact_text(self.message)) != self.message:
            msgspec.structs.force_setattr(self, "message", redacted)


class LabelSelectorRequirement(Part):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class LabelSelector(Part):
    match_labels: dict[str, str] | None = None
    match_expressions: tuple[LabelSelectorRequirement, ...] | None = None


class ObjectReference(Part):
    """A reference to any object, as events and volumes use it."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    field_path: str = ""
    resource_version: str = ""


class LocalReference(Part):
    """The name of something in the same namespace."""

    name: str = ""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class KubernetesObject(msgspec.Struct, frozen=True, gc=False, rename="camel", kw_only=True, tag_field="kind", tag=str):
    """What every typed kind has. The class name is the kind: data of another kind does not decode, data without a kind
    does. `api_group` is set for kinds that an extension defines, so that a cluster may not serve them."""

    api_group: ClassVar[str] = ""
    metadata: ObjectMeta = ObjectMeta()

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """Empty for cluster-scoped kinds, and in manifests without a namespace."""
        return self.metadata.namespace

    @property
    def labels(self) -> dict[str, str]:
        return self.metadata.labels or {}

    @property
    def annotations(self) -> dict[str, str]:
        return self.metadata.annotations or {}


class CustomResource(KubernetesObject, tag=False):
    """An object of a kind that has no struct of its own: metadata typed, the rest as plain data."""

    kind: str = ""
    api_version: str = ""
    spec: dict[str, Any] | None = None
    status: dict[str, Any] | None = None
    driver: str = ""
    """Of a VolumeSnapshotClass, which has no spec."""

    def __post_init__(self) -> None:
        if self.spec:
            msgspec.structs.force_setattr(self, "spec", redact_data(self.spec))
        if self.status:
            msgspec.structs.force_setattr(self, "status", redact_data(self.status))

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]


def condition(conditions: tuple[Condition, ...] | None, kind: str) -> Condition | None:
    """The condition of that type, or None."""
    for row in conditions or ():
        if row.type == kind:
            return row
    return None
