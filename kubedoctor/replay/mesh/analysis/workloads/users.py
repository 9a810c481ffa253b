"""Programs that run as the user of the sidecar, whose traffic the mesh does not see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster.kinds.pods import PodSpec
from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects, is_control_plane
from kubedoctor.replay.mesh.injection import PROXY

PROXY_USER: Final = 1337
_OWN: Final = frozenset({PROXY, "istio-operator"})


def analyze_users(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    for pod in objects.pods:
        if not is_control_plane(pod) and runs_as_proxy(pod.spec):
            yield message_about("IST0144", pod)
    for deployment in objects.deployments:
        if not is_control_plane(deployment) and runs_as_proxy(deployment.spec.template.spec):
            yield message_about("IST0144", deployment)


def runs_as_proxy(spec: PodSpec) -> bool:
    """Whether the pod or one of its own containers runs as the sidecar's user."""
    contexts = [spec.security_context]
    contexts += [container.security_context for container in spec.containers if container.name not in _OWN]
    return any(context is not None and context.run_as_user == PROXY_USER for context in contexts)


ANALYZERS: Final = (Analyzer("applicationUID.Analyzer", analyze_users),)
