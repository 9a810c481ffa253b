"""Containers, as they are decoded."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.kinds.containers import Container


def test_pods_share_equal_parts_of_their_containers() -> None:
    def container() -> Container:
        data = b'{"name":"a","env":[{"name":"A","value":"1"}],"args":["x"],"livenessProbe":{"exec":{"command":["y"]}}}'
        return msgspec.json.decode(data, type=Container)

    first, second = container(), container()
    assert first == second
    assert first.env is second.env
    assert first.args is second.args
    assert first.liveness_probe is second.liveness_probe
