"""A cluster with metrics of its pods, which autoscalers look at every two seconds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import METRICS_PORT, NODE_ADDRESS
from tests.real.workloads import manifest

NAME, PLACE, API = "metrics-server", "kube-system", "v1beta1.metrics.k8s.io"
QUICKLY = (
    "--horizontal-pod-autoscaler-sync-period=2s",
    "--horizontal-pod-autoscaler-cpu-initialization-period=1s",
    "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
)


@contextmanager
def measured(cluster: RealCluster, **usage: str) -> Iterator[None]:
    """usage: of each running container."""
    (cluster.folder / "usage.json").write_text(json.dumps(usage))
    cluster.restart("kube-controller-manager", *QUICKLY)
    service = manifest("Service", NAME, PLACE, spec={"ports": [{"name": "https", "port": 443}]})
    slices = manifest("EndpointSlice", NAME, PLACE, "discovery.k8s.io/v1", addressType="IPv4")
    slices["metadata"]["labels"] = {"kubernetes.io/service-name": NAME}
    slices["endpoints"] = [{"addresses": [NODE_ADDRESS], "conditions": {"ready": True}}]
    slices["ports"] = [{"name": "https", "port": METRICS_PORT}]
    served = {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100}
    by = {"service": {"name": NAME, "namespace": PLACE}, "insecureSkipTLSVerify": True}
    api = manifest("APIService", API, None, "apiregistration.k8s.io/v1", spec={**served, **by})
    with cluster.beside("tests.real.cluster.metrics"):
        cluster.apply(service, slices, api)
        cluster.kubectl("wait", "--for=condition=Available", f"apiservice/{API}", "--timeout=60s")
        yield
        cluster.kubectl("delete", "apiservice", API)
        cluster.kubectl("delete", "service", NAME, "-n", PLACE)
    cluster.restart("kube-controller-manager")
