"""The order of an EndpointSlice's ports: as the controller's own hash sorts them."""

from __future__ import annotations

import pytest

from kubedoctor.replay.services.port_order import SlicePort, port_order


@pytest.mark.parametrize(
    "written",
    [
        (("p2", "TCP", 9090, "kubernetes.io/h2c"), ("p1", "TCP", 8080, None), ("p0", "TCP", 8080, "kubernetes.io/h2c")),
        (
            ("http", "TCP", 7070, None),
            ("p2", "UDP", 8080, "kubernetes.io/h2c"),
            ("p1", "TCP", 8080, "kubernetes.io/h2c"),
        ),
        (("p0", "UDP", 8080, None), ("p2", "TCP", 9090, None), ("p1", "TCP", 8080, "kubernetes.io/h2c")),
        (("p1", "UDP", 9090, None), ("p0", "TCP", 8080, None), ("p2", "TCP", 8080, "kubernetes.io/h2c")),
        (("p1", "TCP", 8080, None), ("p0", "TCP", 8080, None), ("p2", "TCP", 8080, None)),
    ],
)
def test_as_kube_controller_manager_wrote_them(written: tuple[SlicePort, ...]) -> None:
    assert tuple(sorted(sorted(written, key=str), key=port_order)) == written
