"""Heap settings of runtimes, and heaps that leave too little under a memory limit."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.core import ConfigMap
from kubedoctor.replay.kubelet.memory.heaps import heap_setting, heap_under

MI = 2**20


def container(**fields: Any) -> Container:
    return msgspec.convert({"name": "app"} | fields, Container)


def variable(name: str, value: str) -> dict[str, Any]:
    return {"env": [{"name": name, "value": value}]}


@pytest.mark.parametrize(
    ("fields", "limit", "flag", "size", "too_large"),
    [
        ({"args": ["-Xmx512m"]}, "512Mi", "-Xmx512m", 512 * MI, True),
        ({"args": ["-Xmx512m"]}, "513Mi", "-Xmx512m", 512 * MI, True),
        ({"args": ["-Xmx512m"]}, "1Gi", "-Xmx512m", 512 * MI, False),
        ({"args": ["-Xmx600000000"]}, "512Mi", "-Xmx600000000", 600000000, True),
        ({"command": ["java", "-Xms1g", "-Xmx2G", "-jar", "app.jar"]}, "1Gi", "-Xmx2G", 2048 * MI, True),
        ({"args": ["-XX:MaxHeapSize=1g"]}, "1Gi", "-XX:MaxHeapSize=1g", 1024 * MI, True),
        ({"args": ["-XX:MaxRAMPercentage=75.0"]}, "1Gi", "-XX:MaxRAMPercentage=75.0", 768 * MI, False),
        ({"args": ["-XX:MaxRAMPercentage=95"]}, "1000Mi", "-XX:MaxRAMPercentage=95", 950 * MI, True),
        ({"args": ["-Xmx64m", "-XX:MaxRAMPercentage=95"]}, "1Gi", "-Xmx64m", 64 * MI, False),
        ({"args": ["-Xmx1g", "-Xmx64m"]}, "512Mi", "-Xmx64m", 64 * MI, False),
        ({"args": ["-Xmx64m"]} | variable("JAVA_TOOL_OPTIONS", "-Xmx4g"), "512Mi", "-Xmx64m", 64 * MI, False),
        ({"args": ["-Xmx64m"]} | variable("_JAVA_OPTIONS", "-Xmx4g"), "512Mi", "-Xmx4g", 4096 * MI, True),
        (
            {"command": ["sh", "-c", "exec node --max-old-space-size=4096 main.js"]},
            "2Gi",
            "--max-old-space-size=4096",
            4096 * MI,
            True,
        ),
        (variable("NODE_OPTIONS", "--max_old_space_size=512"), "256Mi", "--max_old_space_size=512", 512 * MI, True),
        (variable("JAVA_TOOL_OPTIONS", "-Xmx600000k"), "512Mi", "-Xmx600000k", 600000 * 1024, True),
        (variable("GOMEMLIMIT", "1GiB"), "1Gi", "GOMEMLIMIT=1GiB", 1024 * MI, True),
        (variable("GOMEMLIMIT", "950MiB"), "1Gi", "GOMEMLIMIT=950MiB", 950 * MI, False),
        (variable("GOMEMLIMIT", "1073741824"), "1Gi", "GOMEMLIMIT=1073741824", 1024 * MI, True),
        (
            variable("DOTNET_GCHeapHardLimit", "0x20000000"),
            "512Mi",
            "DOTNET_GCHeapHardLimit=0x20000000",
            512 * MI,
            True,
        ),
        (variable("COMPlus_GCHeapHardLimit", "C800000"), "512Mi", "COMPlus_GCHeapHardLimit=C800000", 200 * MI, False),
        (
            variable("DOTNET_GCHeapHardLimitPercent", "5A"),
            "1000Mi",
            "DOTNET_GCHeapHardLimitPercent=5A",
            900 * MI,
            True,
        ),
    ],
)
def test_the_heap_under_a_limit(fields: dict[str, Any], limit: str, flag: str, size: int, too_large: bool) -> None:
    setting = heap_setting(container(**fields))
    heap = heap_under(setting, limit) if setting is not None else None
    assert heap is not None
    assert (heap.setting.flag, heap.size, heap.is_too_large) == (flag, size, too_large)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        variable("OTHER", "-Xmx4g"),
        variable("GOMEMLIMIT", "off"),
        variable("DOTNET_GCHeapHardLimit", "many"),
        {"args": ["-Xms4g"]},
    ],
)
def test_no_setting(fields: dict[str, Any]) -> None:
    assert heap_setting(container(**fields)) is None


def test_a_limit_that_is_no_quantity() -> None:
    setting = heap_setting(container(args=["-Xmx1g"]))
    assert setting is not None
    assert heap_under(setting, "much") is None


def test_the_limit_with_room_and_the_heap_with_room() -> None:
    setting = heap_setting(container(args=["-Xmx256m"]))
    heap = heap_under(setting, "128Mi") if setting is not None else None
    assert heap is not None
    assert (heap.needed, heap.advised) == (352 * MI, 96 * MI)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        (
            {"env": [{"name": "JAVA_OPTS", "valueFrom": {"configMapKeyRef": {"name": "jvm", "key": "JAVA_OPTS"}}}]},
            "env[name=JAVA_OPTS].valueFrom.configMapKeyRef.key",
        ),
        ({"envFrom": [{"configMapRef": {"name": "jvm"}}]}, "envFrom[0].configMapRef.name"),
    ],
)
def test_a_setting_of_a_config_map(fields: dict[str, Any], field: str) -> None:
    data = {"metadata": {"name": "jvm", "namespace": "shop"}, "data": {"JAVA_OPTS": "-Xmx1g", "OTHER": "-Xmx9g"}}
    maps = {"jvm": msgspec.convert(data, ConfigMap)}
    setting = heap_setting(container(**fields), maps.get)
    assert setting is not None
    assert (setting.flag, setting.field, setting.config) == ("-Xmx1g", field, ("jvm", "JAVA_OPTS"))
    assert heap_setting(container(**fields)) is None
