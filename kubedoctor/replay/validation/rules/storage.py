"""Claims, volumes and storage classes (`ValidatePersistentVolumeClaimSpec`, `pkg/apis/storage/validation`)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.grammar.quantities import Quantity, parse_quantity
from kubedoctor.replay.validation import names
from kubedoctor.replay.validation.fields import Field
from kubedoctor.replay.validation.rules.metadata import label_selector

_ACCESS: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_MODES: Final = ("Block", "Filesystem")


def claim(document: Field) -> None:
    claim_spec(document["spec"])


def claim_spec(at: Field) -> None:
    _access(at["accessModes"])
    label_selector(at["selector"])
    storage = at["resources"]["requests"]["storage"]
    if not storage.given:
        storage.required()
    else:
        _positive(storage)
    at["volumeMode"].one_of(_MODES)
    name = at["storageClassName"]
    if name.text:
        name.must(names.dns_subdomain(name.text))
    for key in ("dataSource",):
        source = at[key]
        if source.given:
            for field in ("name", "kind"):
                if not source[field].text:
                    source[field].required()


def _access(at: Field) -> None:
    modes = [mode.text for mode in at.each()]
    if not modes:
        at.required("at least 1 access mode is required")
    for mode in at.each():
        mode.one_of(_ACCESS, needed=False)
        if not mode.text:
            mode.unsupported(_ACCESS)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        at.forbidden("may not use ReadWriteOncePod with other access modes")


def _positive(at: Field) -> None:
    try:
        amount = parse_quantity(str(at.value))
    except ValueError:
        return
    if amount <= Quantity():
        at.invalid("must be greater than zero")


def volume(document: Field) -> None:
    spec = document["spec"]
    _access(spec["accessModes"])
    capacity = spec["capacity"]
    if not capacity:
        capacity.required()
    elif tuple(capacity.given_keys) != ("storage",):
        capacity.unsupported(("storage",))
    else:
        _positive(capacity["storage"])
    spec["persistentVolumeReclaimPolicy"].one_of(("Delete", "Recycle", "Retain"))
    spec["volumeMode"].one_of(_MODES)
    if spec["storageClassName"].text:
        spec["storageClassName"].must(names.dns_subdomain(spec["storageClassName"].text))
    known = {
        *("capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "mountOptions"),
        *("volumeMode", "nodeAffinity", "volumeAttributesClassName"),
    }
    sources = [key for key, value in spec.entries() if key not in known and isinstance(value.value, dict)]
    if not sources:
        spec.required("must specify a volume type")
    for kind in sources[1:]:
        spec[kind].forbidden("may not specify more than 1 volume type")
    if "local" in sources:
        if not spec["local"]["path"].text:
            spec["local"]["path"].required()
        if not spec["nodeAffinity"]:
            spec["nodeAffinity"].required("Local volume requires node affinity")
    if "hostPath" in sources and not spec["hostPath"]["path"].text:
        spec["hostPath"]["path"].required()
    if "nfs" in sources:
        for field in ("server", "path"):
            if not spec["nfs"][field].text:
                spec["nfs"][field].required()
    if "csi" in sources:
        for field in ("driver", "volumeHandle"):
            if not spec["csi"][field].text:
                spec["csi"][field].required()
        if spec["csi"]["driver"].text:
            spec["csi"]["driver"].must(names.dns_subdomain(spec["csi"]["driver"].text.lower()))


def storage_class(document: Field) -> None:
    provisioner = document["provisioner"]
    if not provisioner.text:
        provisioner.required()
    else:
        provisioner.must(names.qualified_name(provisioner.text.lower()))
    document["reclaimPolicy"].one_of(("Delete", "Retain"))
    document["volumeBindingMode"].one_of(("Immediate", "WaitForFirstConsumer"))
    for key, _ in document["parameters"].entries():
        if not key:
            document["parameters"].invalid("parameter name must not be empty")
