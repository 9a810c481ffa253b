"""What counts as a sidecar; who gets one is compared in `test_oracle`."""

from __future__ import annotations

from typing import Any

import msgspec

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.injection import has_sidecar


def test_native_sidecar_counts() -> None:
    data: dict[str, Any] = {"containers": [{"name": "app"}]}
    assert not has_sidecar(msgspec.convert({"spec": data}, Pod))
    data["initContainers"] = [{"name": "istio-proxy", "restartPolicy": "Always"}]
    assert has_sidecar(msgspec.convert({"spec": data}, Pod))
