"""Paths of an Ingress that are written as patterns, and the annotations that make patterns of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster import Ingress

REWRITE: Final = "nginx.ingress.kubernetes.io/rewrite-target"
PATTERN: Final = re.compile(
    r"\$(?=$|[)|])|\([^)]*[|*+?]|\)[*+?{]|\[\^|\[[^\]]*(?:\w-\w|\\)[^\]]*\]|\[[^\]]+\][*+?{]|^/?\^|\||\\[dDwWsSbB.]|\.[*+]"
)
"""What only patterns have: `/fhir/$export`, `/Orders(42)` and `/a[1]` are paths of OData and others, and taken as they are."""
BRACES: Final = re.compile(r"\{\w+:[^/]+\}")
"""A part of a path that Traefik 2 takes as a pattern."""


def is_pattern(path: str) -> bool:
    """No request has such a path as it is written."""
    return bool(PATTERN.search(path)) or path.endswith("/*")


def has_patterns(ingress: Ingress) -> bool:
    """It has paths that depend on being taken as patterns."""
    return ingress.metadata.deletion_timestamp is None and (
        REWRITE in ingress.annotations or any(is_pattern(path) for _, _, path in paths_of(ingress))
    )


def paths_of(ingress: Ingress) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """The place, host and path of each rule."""
    for at, rule in enumerate(ingress.spec.rules or ()):
        for number, row in enumerate((rule.http.paths if rule.http else None) or ()):
            yield ("spec", "rules", at, "http", "paths", number), rule.host, row.path


def has_settings(ingress: Ingress) -> bool:
    """It has annotations with a prefix, as settings of controllers have."""
    return ingress.metadata.deletion_timestamp is None and any("/" in key for key in ingress.annotations)
