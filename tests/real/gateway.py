"""The kinds of Gateway API, as its own module defines them; no controller serves them."""

from __future__ import annotations

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import GATEWAY_DEFINITIONS

GATEWAY = "gateway.networking.k8s.io"


def define_gateways(cluster: RealCluster) -> None:
    cluster.kubectl("apply", "--server-side", "-f", str(GATEWAY_DEFINITIONS))
    cluster.kubectl("wait", "--for=condition=Established", "-f", str(GATEWAY_DEFINITIONS), "--timeout=60s")
