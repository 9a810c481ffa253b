"""What controllers of load balancers say about a Service or an Ingress: the failure that counts, and their identity at the
cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from kubedoctor.cluster import (
    Cluster,
    Event,
    Evidence,
    Pod,
    ServiceAccount,
    has_path,
    quote,
)
from kubedoctor.replay.ingress.controllers import pods_of_programs

FRESH: Final = timedelta(minutes=30)
"""Controllers try again at least every quarter of an hour."""
_ACCOUNTS: Final = (
    "eks.amazonaws.com/role-arn",
    "iam.gke.io/gcp-service-account",
    "azure.workload.identity/client-id",
)
_OF_AWS: Final = re.compile(r"^Failed(Build|Deploy)Model$")
_AWS_CONTROLLER: Final = "aws-load-balancer-controller"
_CLOUD_CONTROLLERS: Final = frozenset(
    {
        "cloud-controller-manager",
        "aws-cloud-controller-manager",
        "gcp-cloud-controller-manager",
        "openstack-cloud-controller-manager",
        "hcloud-cloud-controller-manager",
        "digitalocean-cloud-controller-manager",
        "kube-vip-cloud-provider",
    }
)


def is_success(event: Event) -> bool:
    """Whether a controller reports that it is done."""
    words = event.message.lower()
    return event.type == "Normal" and (
        "success" in words
        or "reconciled" in words
        or words.startswith(("ip is now", "configuration for", "ensured load", "updated load", "assigned ip"))
    )


def still_counts(failure: Event, events: tuple[Event, ...], cluster: Cluster, fresh: timedelta = FRESH) -> bool:
    """It was seen lately, and no success is reported after it."""
    seen = failure.seen_at
    if seen is None or cluster.taken_at - seen > fresh:
        return False
    return not any(is_success(event) and event.seen_at is not None and event.seen_at >= seen for event in events)


def controllers_of(failure: Event, cluster: Cluster) -> tuple[Pod, ...]:
    """The pods of the controller that wrote an event about a Service; empty where it does not run in the cluster."""
    programs = frozenset({_AWS_CONTROLLER}) if _OF_AWS.match(failure.reason) else _CLOUD_CONTROLLERS
    return pods_of_programs(programs, cluster)


def cloud_identity(pods: tuple[Pod, ...], cluster: Cluster) -> Iterator[Evidence]:
    """The ServiceAccount of a controller, and the cloud's account that it names."""
    for pod in pods[:1]:
        account = cluster.maybe.get(ServiceAccount, pod.namespace, pod.spec.service_account_name or "default")
        if account is None:
            continue
        yield quote(account, "metadata.name", "the ServiceAccount of the controller")
        for key in _ACCOUNTS:
            if has_path(account, f"metadata.annotations[{key}]"):
                yield quote(account, f"metadata.annotations[{key}]", "the cloud's account that it names")
