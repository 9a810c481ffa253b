"""The pods of the controller that serves an Ingress."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.networking import Ingress, IngressClass
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.services import pods_selected_by
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished
from kubedoctor.replay.ingress.products import product_in_clusters

_NAME_LABELS: Final = ("app.kubernetes.io/name", "app", "k8s-app", "name")
_EVERY: Final = frozenset({"k8s", "ingress-controller", "ingress", "controller", "io", "www"})
"""Parts of a controller's name that name no program."""
_PROGRAMS: Final = {"ingress.k8s.aws": "aws-load-balancer-controller", "azure": "ingress-azure"}
"""Programs that the domain of their controller's name does not name."""
_HELPERS: Final = re.compile(r"default-?backend|webhook|cainjector", re.IGNORECASE)
"""Components of a controller's chart that serve no Ingress."""


def controller_pods(ingress: Ingress, cluster: Cluster) -> tuple[Pod, ...]:
    """The pods behind the load balancer whose address the Ingress has; else those labelled with the name of the class's
    controller (`k8s.io/ingress-nginx`). Empty where neither is seen."""
    return _behind_its_address(ingress, cluster) or _of_its_class(ingress, cluster)


def _behind_its_address(ingress: Ingress, cluster: Cluster) -> tuple[Pod, ...]:
    mine = {
        address for row in ingress.status.load_balancer.ingress or () for address in (row.ip, row.hostname) if address
    }
    if not mine:
        return ()
    for service in cluster.maybe.all(Service):
        rows = service.status.load_balancer.ingress or ()
        if service.spec.type == "LoadBalancer" and mine & {
            address for row in rows for address in (row.ip, row.hostname)
        }:
            return pods_selected_by(service, cluster.maybe)
    return ()


def _of_its_class(ingress: Ingress, cluster: Cluster) -> tuple[Pod, ...]:
    named = cluster.maybe.get(IngressClass, "", ingress.spec.ingress_class_name or "")
    if named is None:
        return ()
    if (known := pods_of_controller(named.spec.controller, cluster)) is not None:
        return known
    domain, _, path = named.spec.controller.partition("/")
    programs = {_PROGRAMS.get(domain, ""), *domain.split("."), *path.split("/")} - _EVERY - {""}
    return pods_of_programs(frozenset(programs), cluster)


def pods_of_programs(programs: frozenset[str], cluster: Cluster) -> tuple[Pod, ...]:
    """The pods that a label names after one of the programs."""
    return tuple(pod for pod in cluster.maybe.all(Pod) if not finished(pod) and _is_labelled(pod, programs))


def pods_of_controller(controller: str, cluster: Cluster) -> tuple[Pod, ...] | None:
    """The pods of an ingress controller that runs in clusters, by a label or an image; None for other controllers."""
    product = product_in_clusters(controller)
    if product is None:
        return None
    return tuple(
        pod
        for pod in cluster.maybe.all(Pod)
        if not finished(pod)
        and not _HELPERS.search(pod.labels.get("app.kubernetes.io/component", ""))
        and (
            _is_labelled(pod, product.programs)
            or any(_program(row.image) in product.programs for row in pod.spec.containers)
        )
    )


def _is_labelled(pod: Pod, programs: frozenset[str]) -> bool:
    return any(pod.labels.get(label) in programs for label in _NAME_LABELS)


def _program(image: str) -> str:
    """The last part of an image's path; of `ingress-nginx/controller` the one before."""
    parts = image.partition("@")[0].split("/")
    parts[-1] = parts[-1].partition(":")[0]
    return next((part for part in reversed(parts) if part not in _EVERY), "")
