"""The object at fault for a pod's state, and evidence from its spec: in the workload's template, where it can be changed."""

from __future__ import annotations

from collections.abc import Callable

from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import template_of, template_path, workload_of
from kubedoctor.cluster.seen.quoting import Evidence, has_path, quote
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import all_containers, container_path


def at_fault(
    pod: Pod, cluster: Cluster, container: str = "", same: Callable[[Container, Container], bool] | None = None
) -> Ref:
    """The workload whose template creates such pods, or the pod itself.

    The pod itself also if its container differs from the template's (`same`): the fault is in an older revision.
    """
    name = workload_of(pod, cluster)
    if name.kind == "Pod" or same is None:
        return name
    workload = cluster.maybe.get_ref(name)
    template = template_of(workload) if workload is not None else None
    if template is None:
        return name
    mine = next((candidate for candidate in all_containers(pod) if candidate.name == container), None)
    theirs = (*(template.spec.init_containers or ()), *template.spec.containers)
    original = next((candidate for candidate in theirs if candidate.name == container), None)
    return ref(pod) if mine and original and not same(mine, original) else name


def quote_spec(pod: Pod, cluster: Cluster, about: Ref, container: str, field: str, shows: str = "") -> list[Evidence]:
    """A field of the container where it can be changed: in the workload's template, else in the pod; at most one item."""
    return quote_pod_spec(pod, cluster, about, f"{container_path(pod, container)}.{field}", shows)


def quote_pod_spec(pod: Pod, cluster: Cluster, about: Ref, path: str, shows: str = "") -> list[Evidence]:
    """As `quote_spec`, by the path in the pod: `spec.volumes[name=tls].secret.secretName`."""
    workload = cluster.maybe.get_ref(about) if about.kind != "Pod" else None
    paths: list[tuple[KubernetesObject, str]] = [(pod, path)]
    if workload is not None and template_of(workload) is not None:
        paths.insert(0, (workload, f"{template_path(workload)}{path.removeprefix('spec')}"))
    return next(([quote(obj, where, shows)] for obj, where in paths if has_path(obj, where)), [])
