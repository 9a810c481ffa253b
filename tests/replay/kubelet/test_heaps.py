"""Heaps that leave no room under a memory limit."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.replay.kubelet.heaps import heap_over


def container(**fields: Any) -> Container:
    return msgspec.convert({"name": "app"} | fields, Container)


@pytest.mark.parametrize(
    ("fields", "limit", "flag"),
    [
        ({"args": ["-Xmx512m"]}, "512Mi", "-Xmx512m"),
        ({"args": ["-Xmx512m"]}, "513Mi", ""),
        ({"command": ["java", "-Xms1g", "-Xmx2G", "-jar", "app.jar"]}, "1Gi", "-Xmx2G"),
        ({"command": ["sh", "-c", "exec node --max-old-space-size=4096 main.js"]}, "2Gi", "--max-old-space-size=4096"),
        ({"env": [{"name": "NODE_OPTIONS", "value": "--max_old_space_size=512"}]}, "256Mi", "--max_old_space_size=512"),
        ({"env": [{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx600000k"}]}, "512Mi", "-Xmx600000k"),
        ({"env": [{"name": "OTHER", "value": "-Xmx4g"}]}, "512Mi", ""),
        ({"args": ["-Xmx64m", "-Xmx1g"]}, "512Mi", "-Xmx1g"),
        ({"args": ["-Xmx1g"]}, "much", ""),
        ({}, "1Mi", ""),
    ],
)
def test_heap_over(fields: dict[str, Any], limit: str, flag: str) -> None:
    assert heap_over(container(**fields), limit) == flag
