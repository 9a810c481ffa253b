"""Volumes of a pod (`ValidateVolumes`)."""

from __future__ import annotations

from typing import Any, Final

from kubedoctor.replay.validation import names
from kubedoctor.replay.validation.fields import Field
from kubedoctor.replay.validation.rules.containers import IN_VOLUME, field_path, resource_field
from kubedoctor.replay.validation.rules.storage import claim_spec

_HOST_PATHS: Final = (
    "",
    "DirectoryOrCreate",
    "Directory",
    "FileOrCreate",
    "File",
    "Socket",
    "CharDevice",
    "BlockDevice",
)
_NEEDS: Final = {
    "persistentVolumeClaim": ("claimName",),
    "secret": ("secretName",),
    "configMap": ("name",),
    "nfs": ("server", "path"),
    "csi": ("driver",),
    "hostPath": ("path",),
    "iscsi": ("targetPortal", "iqn"),
    "cephfs": ("monitors",),
    "awsElasticBlockStore": ("volumeID",),
    "gcePersistentDisk": ("pdName",),
}
"""What a source is nothing without."""


def volumes(at: Field) -> None:
    seen: set[Any] = set()
    for volume in at.each():
        name = volume["name"]
        if not name.text:
            name.required()
        else:
            problems = names.dns_label(name.text)
            name.must(problems)
            if not problems:
                name.unlike(seen)
        _source(volume)


def _source(at: Field) -> None:
    given = [key for key, value in at.entries() if key != "name" and isinstance(value.value, dict)]
    if not given:
        return  # an emptyDir
    for kind in given[1:]:
        at[kind].forbidden("may not specify more than 1 volume type")
    source = at[given[0]]
    for field in _NEEDS.get(given[0], ()):
        if not source[field]:
            source[field].required()
    if given[0] in ("secret", "configMap"):
        _mode(source["defaultMode"])
        _items(source["items"])
    elif given[0] == "projected":
        _mode(source["defaultMode"])
        _projected(source["sources"])
    elif given[0] == "downwardAPI":
        _mode(source["defaultMode"])
        for item in source["items"].each():
            _downward(item)
    elif given[0] == "hostPath":
        if ".." in source["path"].text.split("/"):
            source["path"].invalid("must not contain '..'")
        source["type"].one_of(_HOST_PATHS)
    elif given[0] == "nfs" and source["path"].text and not source["path"].text.startswith("/"):
        source["path"].invalid("must be an absolute path")
    elif given[0] == "ephemeral":
        template = source["volumeClaimTemplate"]
        if not template.given:
            template.required()
        else:
            claim_spec(template["spec"])


def _projected(at: Field) -> None:
    for source in at.each():
        given = [key for key, value in source.entries() if isinstance(value.value, dict)]
        for kind in given[1:]:
            source[kind].forbidden("may not specify more than 1 volume type")
        for kind in given[:1]:
            if kind in ("secret", "configMap"):
                if not source[kind]["name"].text:
                    source[kind]["name"].required()
                _items(source[kind]["items"])
            elif kind == "downwardAPI":
                for item in source[kind]["items"].each():
                    _downward(item)
            elif kind == "serviceAccountToken":
                token = source[kind]
                seconds = token["expirationSeconds"]
                if seconds.number is not None and seconds.number < 600:
                    seconds.invalid("may not specify a duration less than 10 minutes")
                if not token["path"].text:
                    token["path"].required()
                else:
                    _inside(token["path"])


def _items(at: Field) -> None:
    for item in at.each():
        if not item["key"].text:
            item["key"].required()
        if not item["path"].text:
            item["path"].required()
        else:
            _inside(item["path"])
        _mode(item["mode"])


def _downward(at: Field) -> None:
    if not at["path"].text:
        at["path"].required()
    else:
        _inside(at["path"])
    if at["fieldRef"].given:
        field_path(at["fieldRef"], IN_VOLUME)
        if at["resourceFieldRef"].given:
            at.invalid("fieldRef and resourceFieldRef can not be specified simultaneously")
    elif at["resourceFieldRef"].given:
        resource_field(at["resourceFieldRef"], needs_container=True)
    else:
        at["fieldRef"].required("one of fieldRef and resourceFieldRef is required")
    _mode(at["mode"])


def _inside(at: Field) -> None:
    """A path below the volume (`validateLocalNonReservedPath`)."""
    if at.text.startswith("/"):
        at.invalid("must be a relative path")
    elif ".." in at.text.split("/"):
        at.invalid("must not contain '..'")
    elif at.text.startswith(".."):
        at.invalid("must not start with '..'")


def _mode(at: Field) -> None:
    if at.number is not None and not 0 <= at.number <= 0o777:
        at.invalid("must be a number between 0 and 0777 (octal), both inclusive")
