"""Under which names the Secrets Store CSI driver mounts the objects of a SecretProviderClass."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, Final

_LISTS: Final = {"azure": "objects", "aws": "objects", "gcp": "secrets", "vault": "objects"}
"""The parameter of each provider that lists the objects, as YAML in a string."""
_UNTRANSLATED: Final = "False"
_SEPARATOR: Final = "_"


def mounted_files(spec: Mapping[str, Any]) -> dict[str, str] | None:
    """The file of each object, by the object's name in the store; None where the provider or its list is not understood.

    `secretObjects[].data[].objectName` has to be such a file (`secrets-store-csi-driver`, `pkg/util/secretutil`,
    GetSecretData, 1.5). Its name is the provider's: the alias where the object has one, else its name
    (`provider-azure`, `pkg/provider/types`, GetFileName; `provider-aws`, `provider/secret_descriptor.go`, which
    writes each `/` as `_`; `provider-gcp`, `config`, PathString; `provider-vault`, `internal/config`).
    """
    provider, parameters = spec.get("provider"), spec.get("parameters")
    written = parameters.get(_LISTS.get(str(provider), "")) if isinstance(parameters, dict) else None
    if not isinstance(provider, str) or not isinstance(written, str):
        return None
    files: dict[str, str] = {}
    for described in _described(written):
        pairs = list(_files(provider, described))
        if not pairs:
            return None
        files.update(pairs)
    return files or None


def _files(provider: str, described: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name, alias = _text(described, "objectName"), _text(described, "objectAlias")
    if provider == "gcp":
        name, file = _text(described, "resourceName"), _text(described, "path") or _text(described, "fileName")
        if name and file:
            yield name, file
    elif provider == "vault" and name:
        yield name, name
    elif provider == "azure" and name:
        yield name, alias or name
    elif provider == "aws" and name:
        yield name, _on_disk(alias or name, described)
        for part in described.get("jmesPath") or ():
            if isinstance(part, dict) and (own := _text(part, "objectAlias")):
                yield f"{name} {_text(part, 'path')}", _on_disk(own, described)


def _on_disk(file: str, described: Mapping[str, Any]) -> str:
    """As the AWS provider writes it: of `/`, one at the start is left out where it is not translated."""
    separator = described.get("pathTranslation", _SEPARATOR)
    if separator is False or separator == _UNTRANSLATED:
        return posixpath.normpath(file.lstrip("/"))
    return file.replace("/", str(separator))


def _described(written: str) -> Iterator[Mapping[str, Any]]:
    """The list itself, or, of Azure, an `array` of strings that are YAML again."""
    read = _yaml(written)
    rows = read.get("array") if isinstance(read, dict) else read
    for row in rows if isinstance(rows, list) else ():
        inner = _yaml(row) if isinstance(row, str) else row
        yield inner if isinstance(inner, dict) else {}


def _yaml(written: str) -> Any:
    import yaml  # takes 29 ms, and only a Secret that is missing asks

    try:
        return yaml.safe_load(written)
    except yaml.YAMLError:
        return None


def _text(described: Mapping[str, Any], field: str) -> str:
    value = described.get(field)
    return value if isinstance(value, str) else ""
