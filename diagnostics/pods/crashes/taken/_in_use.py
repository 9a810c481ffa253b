"""What a program needs is taken already: a port, or the file by which it knows that it runs."""

from __future__ import annotations

from typing import NamedTuple

from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes.files._mounted import mount_of
from kubedoctor.cluster import Cluster, Pod, container_path, finished, ref, workload_of
from kubedoctor.findings import Evidence, Ref, fix_by_hand, has_path, quote, quote_line, quote_spec
from kubedoctor.replay.logs.listening import ports_listened_on

_ENDS = (".pid", ".lock", "-lock", "/pid")


def is_left_over(path: str) -> bool:
    """Whether a file says that a program runs."""
    return path.endswith(_ENDS)


def left_over_file(pod: Pod, container: str, path: str, about: Ref, cluster: Cluster) -> Story:
    """The file is there although the program that wrote it has ended: it is on a volume."""
    text = f"{path} says that it runs already: the run before left it behind"
    containers = (*(pod.spec.init_containers or ()), *pod.spec.containers)
    mine = next((one for one in containers if one.name == container), None)
    mount = mount_of(mine, path) if mine is not None and path.startswith("/") else None
    remove = f"Remove {path} before the program starts"
    if mount is None:
        return Story(text, fixes=(fix_by_hand(about, remove),))
    evidence = quote_spec(
        pod, cluster, about, container, f"volumeMounts[mountPath={mount}].name", "the volume that keeps the file"
    )
    fix = fix_by_hand(about, f"{remove}, or do not mount a volume at {mount}")
    return Story(f"{text} on the volume at {mount}", evidence=tuple(evidence), fixes=(fix,))


class PortHolder(NamedTuple):
    """A running pod with a port of the node, what creates it, and where the port is declared."""

    pod: Pod
    workload: Ref
    evidence: Evidence


def holder_of_port(pod: Pod, port: int, cluster: Cluster) -> PortHolder | None:
    """The pod on the same node that declares the port as one of the node's; None where none does."""
    for other in cluster.maybe.pods_on(pod.spec.node_name):
        if ref(other) == ref(pod) or finished(other):
            continue
        for container in other.spec.containers:
            for index, entry in enumerate(container.ports or ()):
                taken = entry.host_port or (entry.container_port if other.spec.host_network else 0)
                if taken == port:
                    field = "hostPort" if entry.host_port else "containerPort"
                    path = f"{container_path(other, container.name)}.ports[{index}].{field}"
                    evidence = quote(other, path, "it has this port of the node")
                    return PortHolder(other, workload_of(other, cluster) or ref(other), evidence)
    return None


def neighbour_with_port(pod: Pod, container: str, port: int, cluster: Cluster) -> tuple[str, tuple[Evidence, ...]]:
    """The other container of the pod that has the port by its log, else by its declared ports; empty where none has.

    Containers of a pod share their addresses. Of two that declare it, nothing is known.
    """
    others = [other for other in pod.spec.containers if other.name != container]
    for other in others:
        tail = cluster.log_tail(pod, other.name, optional=True)
        listened = ports_listened_on(tail.lines) if tail is not None else {}
        place = next((index for index, own in listened.items() if own == port), None)
        if tail is not None and place is not None:
            return other.name, (quote_line(tail, place, "it listens on this port"),)
    declared = [
        (other, index)
        for other in others
        for index, entry in enumerate(other.ports or ())
        if entry.container_port == port
    ]
    if len(declared) != 1:
        return "", ()
    other, index = declared[0]
    path = f"{container_path(pod, other.name)}.ports[{index}].containerPort"
    return other.name, (quote(pod, path, "it declares this port"),)


def address_in_use(pod: Pod, container: str, port: str, about: Ref, cluster: Cluster) -> Story:
    port_text = f"port {port}" if port else "its port"
    if pod.spec.host_network:
        evidence = [quote(pod, "spec.hostNetwork", "the pod uses the node's ports")]
        if has_path(pod, "spec.nodeName"):
            evidence.append(quote(pod, "spec.nodeName", "the node"))
        text, fix = (
            f"{port_text} is already in use on node {pod.spec.node_name} (hostNetwork)",
            "Use another port, or remove hostNetwork",
        )
        if port.isdigit() and (holder := holder_of_port(pod, int(port), cluster)) is not None:
            text += f", by pod {holder.pod.namespace}/{holder.pod.name} of {holder.workload.title}"
            evidence.append(holder.evidence)
            fix = f"Use another port, or remove one of the two: {holder.workload.title} has port {port} there"
        return Story(text, evidence=tuple(evidence), fixes=(fix_by_hand(about, fix),))
    if port.isdigit():
        name, evidence_of = neighbour_with_port(pod, container, int(port), cluster)
        if name:
            return Story(
                f"{port_text} is already in use by container `{name}` of the same pod: containers of a pod share their ports",
                evidence=evidence_of,
                fixes=(
                    fix_by_hand(about, f"Configure another port for container `{container}` or `{name}` to listen on"),
                ),
            )
    several = len(pod.spec.containers) > 1
    where = "by another container of the pod" if several else "in the container"
    return Story(
        f"{port_text} is already in use {where}", fixes=(fix_by_hand(about, "Configure another port to listen on"),)
    )
