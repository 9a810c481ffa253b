"""The STATUS column of `kubectl get pods` (`pkg/printers/internalversion`, printPod, v1.37)."""

from __future__ import annotations

from kubedoctor.cluster.kinds.containers import ContainerStatus
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import finished, ready, terminating


def pod_status(pod: Pod) -> str:
    """One word, as kubectl prints it."""
    word = pod.status.reason or pod.status.phase
    gated = condition(pod.status.conditions, "PodScheduled")
    if gated is not None and gated.reason == "SchedulingGated":
        word = gated.reason
    initializing = _initializing(pod)
    if initializing:
        word = initializing
    if not initializing or _initialized(pod):
        word = _containers_word(pod, word)
    if terminating(pod) and pod.status.reason == "NodeLost":
        return "Unknown"
    return "Terminating" if terminating(pod) and not finished(pod) else word


def sidecars_of(pod: Pod) -> frozenset[str]:
    """The names of the init containers that run as long as the pod."""
    return frozenset(container.name for container in pod.spec.init_containers or () if container.restarts_always)


def _initializing(pod: Pod) -> str:
    sidecars = sidecars_of(pod)
    for number, container in enumerate(pod.status.init_container_statuses or ()):
        state = container.state
        if state and state.terminated and state.terminated.exit_code == 0:
            continue
        if container.name in sidecars and container.started:
            continue
        if state and state.terminated:
            return f"Init:{_ended(container)}"
        if state and state.waiting and state.waiting.reason not in ("", "PodInitializing"):
            return f"Init:{state.waiting.reason}"
        return f"Init:{number}/{len(pod.spec.init_containers or ())}"
    return ""


def _containers_word(pod: Pod, word: str) -> str:
    running, failed = False, ""
    for status in reversed(pod.status.container_statuses or ()):
        state = status.state
        if state and state.waiting and state.waiting.reason:
            word = state.waiting.reason
        elif state and state.terminated:
            word = _ended(status)
            failed = word if state.terminated.exit_code else failed
        elif status.ready and state and state.running:
            running = True
    if word != "Completed":
        return word
    if running and ready(pod):
        return "Running"
    return failed or ("NotReady" if running else word)


def _ended(status: ContainerStatus) -> str:
    ended = status.state.terminated if status.state else None
    if ended is None:
        return ""
    return ended.reason or (f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exit_code}")


def _initialized(pod: Pod) -> bool:
    stated = condition(pod.status.conditions, "Initialized")
    return stated is not None and stated.status == "True"
