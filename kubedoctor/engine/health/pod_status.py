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


def _initializing(pod: Pod) -> str:
    sidecars = {one.name for one in pod.spec.init_containers or () if one.restarts_always}
    for number, one in enumerate(pod.status.init_container_statuses or ()):
        state = one.state
        if state and state.terminated and state.terminated.exit_code == 0:
            continue
        if one.name in sidecars and one.started:
            continue
        if state and state.terminated:
            return f"Init:{_ended(one)}"
        if state and state.waiting and state.waiting.reason not in ("", "PodInitializing"):
            return f"Init:{state.waiting.reason}"
        return f"Init:{number}/{len(pod.spec.init_containers or ())}"
    return ""


def _containers_word(pod: Pod, word: str) -> str:
    running, failed = False, ""
    for one in reversed(pod.status.container_statuses or ()):
        state = one.state
        if state and state.waiting and state.waiting.reason:
            word = state.waiting.reason
        elif state and state.terminated:
            word = _ended(one)
            failed = word if state.terminated.exit_code else failed
        elif one.ready and state and state.running:
            running = True
    if word != "Completed":
        return word
    if running and ready(pod):
        return "Running"
    return failed or ("NotReady" if running else word)


def _ended(one: ContainerStatus) -> str:
    ended = one.state.terminated if one.state else None
    if ended is None:
        return ""
    return ended.reason or (f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exit_code}")


def _initialized(pod: Pod) -> bool:
    stated = condition(pod.status.conditions, "Initialized")
    return stated is not None and stated.status == "True"
