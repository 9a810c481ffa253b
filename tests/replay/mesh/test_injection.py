"""Injection against the answers of Istio 1.31's own code."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec

from kubedoctor.cluster.kinds.control import MutatingWebhookConfiguration
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.meta import LabelSelector
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.injection import Injector, calls, has_sidecar, required

ROWS = 519


def test_generated_questions(shared: Path) -> None:
    wrong: list[tuple[Any, ...]] = []
    rows = 0
    with gzip.open(shared / "conformance/fuzz/mesh.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["mode"] != "inject":
                continue
            rows += 1
            ours = answer(row["request"])
            if ours != row["answer"]:
                wrong.append((row["id"], row["answer"], ours))
    assert wrong == []
    assert rows == ROWS


def answer(request: dict[str, Any]) -> dict[str, Any]:
    configurations = msgspec.convert(request["webhooks"], list[MutatingWebhookConfiguration])
    namespace = msgspec.convert(request["namespace"], Namespace)
    pod = msgspec.convert(request["pod"], Pod)
    config = request["config"]
    injector = Injector(
        config["policy"],
        msgspec.convert(config.get("neverInjectSelector") or [], list[LabelSelector]),
        msgspec.convert(config.get("alwaysInjectSelector") or [], list[LabelSelector]),
    )
    called = calls(configurations, namespace.labels, pod.labels)
    needed = required(pod, namespace.name, injector)
    return {
        "webhooks": [
            {"name": each.configuration.name, "revision": each.revision, "calls": each.calls, "reason": each.reason}
            for each in called
        ],
        "required": needed,
        "injections": sum(each.calls for each in called) if needed else 0,
    }


def test_native_sidecar_counts() -> None:
    data: dict[str, Any] = {"containers": [{"name": "app"}]}
    assert not has_sidecar(msgspec.convert({"spec": data}, Pod))
    data["initContainers"] = [{"name": "istio-proxy", "restartPolicy": "Always"}]
    assert has_sidecar(msgspec.convert({"spec": data}, Pod))
