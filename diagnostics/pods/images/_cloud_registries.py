"""Registries of clouds: they know the nodes' own identity, so that no Secret is needed."""

from __future__ import annotations

import re
from typing import NamedTuple

from kubedoctor.replay.kubelet.image_names import ImageName


class NodeIdentity(NamedTuple):
    """Whom a cloud's registry knows a node as, and how that identity may read a repository."""

    who: str
    fix: str


_ECR = re.compile(r"^(\d{12})\.dkr[.-]ecr(?:-fips)?\.[\w-]+\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$")
_PUBLIC = frozenset({"mcr.microsoft.com", "k8s.gcr.io", "registry.k8s.io", "public.ecr.aws", "mirror.gcr.io"})


def node_identity(image: ImageName) -> NodeIdentity | None:
    """None for a registry that does not know nodes."""
    registry = image.registry
    if registry in _PUBLIC:
        return None
    if (ecr := _ECR.match(registry)) is not None:
        return NodeIdentity(
            "the nodes' IAM role",
            f"Attach policy AmazonEC2ContainerRegistryPullOnly to the nodes' IAM role; if account {ecr[1]} is not the "
            f"cluster's, allow the role in the policy of repository {image.repository} too",
        )
    if registry.endswith(("-docker.pkg.dev", ".gcr.io")) or registry == "gcr.io":
        project = image.repository.partition("/")[0]
        return NodeIdentity(
            "the nodes' service account",
            f"Grant the nodes' service account the role roles/artifactregistry.reader in project {project}, and the "
            "nodes the access scope cloud-platform",
        )
    if registry.endswith((".azurecr.io", ".azurecr.cn", ".azurecr.us")):
        name = registry.partition(".")[0]
        return NodeIdentity(
            "the kubelet's managed identity",
            f"Grant the kubelet's managed identity the role AcrPull on registry {name} "
            f"(az aks update --name CLUSTER --resource-group GROUP --attach-acr {name})",
        )
    return None
