"""A setting that a program takes from the links to Services, which the kubelet puts into its environment."""

from __future__ import annotations

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Pod, Service, template_of, template_path
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Effect, Fix, Ref, command_line, fix_by_hand, quote
from kubedoctor.replay.kubelet.service_links import service_link


def taken_from_a_link(pod: Pod, container: str, message: str, about: Ref, cluster: Cluster) -> Story | None:
    """Where the line repeats what the kubelet sets for a Service, and the container does not set the same itself."""
    if "://" not in message:
        return None
    link = service_link(pod, message, cluster.maybe.all(Service, pod.namespace))
    if link is None or link.variable in _set_by_itself(pod, container):
        return None
    rename = Fix(f"Or give the Service another name: {link.variable} comes from its name")
    return Story(
        f"it takes {link.variable}={link.value}, which Kubernetes sets for Service {link.service.name}, for a setting of"
        " its own",
        evidence=(
            quote(link.service, "metadata.name", f"each container of the namespace gets {link.variable}"),
            quote(link.service, "spec.clusterIP"),
        ),
        fixes=(_no_links(about, cluster), rename),
    )


def _set_by_itself(pod: Pod, container: str) -> set[str]:
    containers = (*(pod.spec.init_containers or ()), *pod.spec.containers)
    return {variable.name for one in containers if one.name == container for variable in one.env or ()}


def _no_links(about: Ref, cluster: Cluster) -> Fix:
    summary = "Set enableServiceLinks: false in the pod's spec"
    workload = cluster.maybe.get_ref(about) if about.kind != "Pod" else None
    if workload is None or template_of(workload) is None or about.kind in ("Job", "CronJob"):
        return fix_by_hand(about, summary)
    path = (*template_path(workload).split("."), "enableServiceLinks")
    return Fix(summary, command_line(put(about, path, False), workload), Effect.DISRUPTS)
