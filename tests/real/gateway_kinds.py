"""The kinds of the Gateway API in the real API server, with all that their schemas and rules check; no controller serves them."""

from __future__ import annotations

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import GATEWAY_KINDS

GROUP = "gateway.networking.k8s.io"


def define(cluster: RealCluster) -> None:
    # Their descriptions are too long for the annotation of a client-side apply.
    cluster.kubectl("apply", "--server-side", "-f", str(GATEWAY_KINDS))
    cluster.kubectl("wait", "--for=condition=Established", "-f", str(GATEWAY_KINDS), "--timeout=60s")
