"""An object as YAML."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from kubedoctor.cluster import KubernetesObject, Ref
from kubedoctor.tui.pages.page import Page


def yaml_page(data: dict[str, Any] | None, obj: KubernetesObject | None, name: Ref) -> Page:
    """The object as YAML: whole where it can be read, else the fields that a snapshot keeps."""
    page = Page()
    if data is None and obj is not None:
        page.add(("# only the fields that kubedoctor reads", "dim"))
        data = msgspec.to_builtins(obj)
    if data is None:
        page.add(f"{name.title} cannot be read.")
        return page
    first, last = ("apiVersion", "kind", "metadata"), ("status",)  # as kubectl prints it
    document = {key: data[key] for key in first if key in data}
    document |= {key: value for key, value in data.items() if key not in last}
    document |= {key: data[key] for key in last if key in data}
    if isinstance(document.get("metadata"), dict):
        document["metadata"] = {key: value for key, value in document["metadata"].items() if key != "managedFields"}
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    for line in text.splitlines():
        bare = line.lstrip(" ")
        indent = len(line) - len(bare)
        key, colon, text_after = bare.partition(":")
        if colon and (not text_after or text_after.startswith(" ")):
            page.add((f"{key}:", "path"), text_after, indent=indent, hang=indent + 4)
        else:
            page.add(bare, indent=indent, hang=indent + 4)
    return page


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, as people do."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)
