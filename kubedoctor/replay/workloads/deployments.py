"""When a rollout has failed, and when it is over (`pkg/controller/deployment/util/deployment_util.go`, v1.37)."""

from __future__ import annotations

from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.meta import condition

DEADLINE = 600
"""The default progress deadline of a Deployment in seconds."""


def deadline(deployment: Deployment) -> int:
    """In seconds."""
    return deployment.spec.progress_deadline_seconds or DEADLINE


def complete(deployment: Deployment) -> bool:
    """All pods are new and available, and no surplus pod is left (`DeploymentComplete`, whichever spec was observed last)."""
    replicas, status = deployment.spec.desired_replicas, deployment.status
    return status.updated_replicas >= replicas and status.replicas <= replicas <= status.available_replicas


def past_deadline(deployment: Deployment) -> bool:
    """Whether the controller reports that the deadline has passed. False for a rollout that is complete by now: its
    condition follows later."""
    progressing = condition(deployment.status.conditions, "Progressing")
    return progressing is not None and progressing.reason == "ProgressDeadlineExceeded" and not complete(deployment)
