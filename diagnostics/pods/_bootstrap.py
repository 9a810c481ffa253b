"""Network agents that ask the API server at its Service address, while they are the ones that make such addresses work."""

from __future__ import annotations

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, ConfigMap, DaemonSet, Pod, Service, has_path, workload_of
from kubedoctor.findings import Evidence, Fix, quote
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import LogCause
from kubedoctor.replay.network.other_proxies import CILIUM_CONFIG, kube_proxy_runs, proxy_of
from kubedoctor.replay.services.hosts import split_address

_SETTINGS = {
    "Cilium": "k8sServiceHost={host} and k8sServicePort={port} in the Helm values of Cilium",
    "Calico": "KUBERNETES_SERVICE_HOST={host} and KUBERNETES_SERVICE_PORT={port} in ConfigMap kubernetes-services-endpoint",
}
_OTHERWISE = "KUBERNETES_SERVICE_HOST={host} and KUBERNETES_SERVICE_PORT={port} in its containers"


def waits_for_itself(pod: Pod, cause: LogCause, cluster: Cluster) -> Story | None:
    """Where an agent that replaces kube-proxy gets no answer from the Service of the API server, and no kube-proxy runs."""
    if cause.fault is not LogFault.CONNECTION_TIMEOUT or not pod.spec.host_network:
        return None
    service = cluster.maybe.get(Service, "default", "kubernetes")
    host = split_address(cause.subject)[0]
    if service is None or host not in (service.spec.cluster_ip, *(service.spec.cluster_ips or ())):
        return None
    owner = cluster.maybe.get_ref(workload_of(pod, cluster))
    name = proxy_of(owner, cluster) if isinstance(owner, DaemonSet) else ""
    if not name or kube_proxy_runs(cluster):
        return None
    to_set = _SETTINGS.get(name, _OTHERWISE).format(**dict(zip(("host", "port"), _own_address(cluster), strict=True)))
    return Story(
        f"connection to {cause.subject}, the Service address of the API server, timed out: no kube-proxy runs, and {name}"
        " itself makes Service addresses work. KUBERNETES_SERVICE_HOST must name the API server's own address",
        evidence=(quote(service, "spec.clusterIP", "the address that it asks"), *_replaces(pod, cluster)),
        fixes=(Fix(f"Set {to_set}"),),
    )


def _own_address(cluster: Cluster) -> tuple[str, str]:
    for slice_ in cluster.maybe.slices_of("default", "kubernetes"):
        port = next((row.port for row in slice_.ports or () if row.port), 6443)
        for endpoint in slice_.endpoints or ():
            for address in endpoint.addresses or ():
                return address, str(port)
    return "ADDRESS", "6443"


def _replaces(pod: Pod, cluster: Cluster) -> tuple[Evidence, ...]:
    config = cluster.maybe.get(ConfigMap, pod.namespace, CILIUM_CONFIG)
    path = "data[kube-proxy-replacement]"
    return (
        (quote(config, path, "it does the work of kube-proxy"),)
        if config is not None and has_path(config, path)
        else ()
    )
