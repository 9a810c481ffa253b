"""Service sends to pods of another workload.

## What it means
The selector of the Service matches pods of two workloads, and those of one of them do not have the port that the Service
sends to. As many requests as that share of the endpoints fail: "connection refused" now and then, while every pod is ready.

## Why it happens
- The selector names a label that many workloads of the application share, such as `app.kubernetes.io/part-of`.
- A workload was copied with the labels of the first one: a worker, a Job, a database beside its application.

A canary, or the old and the new version during a switch, has the same port: that is how they are meant. A declared port is
only information: where no log tells the port, this is no more than a notice.

## How to fix it
1. Add a label to the selector that only the intended pods have.
2. If no label tells them apart, give the template of one workload a label first.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#defining-a-service
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from diagnostics.services._triage import sends_to_numbers
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Evidence,
    KubernetesObject,
    Pod,
    Ref,
    Service,
    all_containers,
    counted,
    listed,
    pods_selected_by,
    ready,
    selector_from_map,
    selector_of_workload,
    terminating,
    workloads_of,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.services.ports import declared_ports
from kubedoctor.replay.services.refusals import probed_port

_CHANGING = (
    *("pod-template-hash", "controller-revision-hash", "pod-template-generation"),
    *("statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index", "helm.sh/chart", "version"),
    "app.kubernetes.io/version",
)
"""Labels of a revision or of one pod, which are others after the next rollout."""


class _Stray(NamedTuple):
    """A workload whose pods do not have the port, and what shows it."""

    workload: Ref
    pods: tuple[Pod, ...]
    port: int
    evidence: Evidence
    logged: bool


class _Accusation(NamedTuple):
    """A finding about one port, with the workloads that lack it and those that have it."""

    finding: Finding
    accused: frozenset[Ref]
    intended: frozenset[Ref]


@diagnostic(
    code="KD2004",
    subject=Service,
    severity=Severity.WARNING,
    reads=(Service, Pod, *WORKLOADS),
    when=sends_to_numbers,
    symptoms=("connection refused", "502", "503", "intermittent"),
)
def selects_foreign_pods(service: Service, cluster: Cluster) -> Iterator[Finding]:
    """Only where all pods of the Service have been read anyway: while it works it is not worth a request. Where each of two
    workloads has one of the ports, one finding tells it: a second one would accuse the other of the same."""
    if not cluster.has_all(Pod, service.namespace, selector_from_map(service.spec.selector or {}).text):
        return
    serving = [pod for pod in pods_selected_by(service, cluster) if ready(pod) and not terminating(pod)]
    found: list[_Accusation] = []
    for at, port in enumerate(service.spec.ports or ()):
        target = port.target_port or port.port
        if isinstance(target, int) and (port.protocol or "TCP") == "TCP":
            found += _of_port(service, at, target, serving, cluster)
    told: list[_Accusation] = []
    for one in sorted(found, key=lambda one: one.finding.severity is not None):
        if not any(one.accused == other.intended and one.intended == other.accused for other in told):
            told.append(one)
            yield one.finding


def _of_port(service: Service, at: int, target: int, serving: list[Pod], cluster: Cluster) -> Iterator[_Accusation]:
    meant = [pod for pod in serving if target in _ports(pod)]
    if not meant or len(meant) == len(serving):
        return
    workloads = workloads_of(serving, cluster.maybe)
    intended = {workloads[ref(pod)] for pod in meant}
    images = {container.image for pod in meant for container in pod.spec.containers}
    others: dict[Ref, list[Pod]] = defaultdict(list)
    for pod in serving:
        same_image = any(container.image in images for container in pod.spec.containers)
        if workloads[ref(pod)] not in intended and not same_image:
            others[workloads[ref(pod)]].append(pod)
    found = (_stray(workload, tuple(pods), target, cluster) for workload, pods in others.items())
    strays = [stray for stray in found if stray is not None]
    if not strays:
        return
    logged = any(stray.logged for stray in strays)
    lost = [pod for stray in strays for pod in stray.pods]
    path = f"spec.ports[{at}].{'targetPort' if (service.spec.ports or ())[at].target_port else 'port'}"
    names = listed((f"{stray.workload.title} (port {stray.port})" for stray in strays), 2)
    finding = Finding(
        about=ref(service),
        aspect=str(target),
        summary=f"{len(lost)} of {counted(len(serving), 'ready endpoint')} are pods of {names}: the Service sends to port "
        f"{target}, which only {listed((name.title for name in sorted(intended, key=str)), 2)} has",
        evidence=(
            quote(service, "spec.selector", f"matches {counted(len(intended) + len(strays), 'workload')}"),
            quote(service, path, "port to which the Service sends"),
            *(stray.evidence for stray in strays),
        ),
        severity=None if logged else Severity.NOTICE,
        confidence=Confidence.LIKELY if logged else Confidence.POSSIBLE,
        would_disprove="" if logged else f"the program of {strays[0].workload.title} listens on port {target} as well",
        affects=tuple(stray.workload for stray in strays),
        fixes=(_fix(service, meant, lost, sorted(intended, key=str), cluster),),
        commands=(
            Command(
                kubectl(
                    "get",
                    "pods",
                    "-l",
                    selector_from_map(service.spec.selector or {}).text,
                    "--show-labels",
                    namespace=service.namespace,
                ),
                "the pods that get its requests, and their labels",
            ),
        ),
    )
    yield _Accusation(finding, frozenset(stray.workload for stray in strays), frozenset(intended))


def _ports(pod: Pod) -> set[int]:
    """What it declares, and what its probes reach."""
    declared = {port.container_port for _, port in declared_ports(pod) if (port.protocol or "TCP") == "TCP"}
    for container in all_containers(pod):
        for probe in (container.readiness_probe, container.liveness_probe, container.startup_probe):
            number = probed_port(container, probe)
            if number is not None:
                declared.add(number)
    return declared


def _stray(workload: Ref, pods: tuple[Pod, ...], target: int, cluster: Cluster) -> _Stray | None:
    """None where its pods may have the port: their log names it, or they declare none and their log names none."""
    from kubedoctor.replay.logs.listening import ports_listened_on  # few Services need a log

    pod = pods[0]
    logged: _Stray | None = None
    for container in pod.spec.containers:
        tail = cluster.log_tail(pod, container.name)
        ports = ports_listened_on(tail.lines) if tail is not None else {}
        if target in ports.values():
            return None
        if tail is not None and ports and logged is None:
            line, number = next(iter(ports.items()))
            listens = quote_line(tail, line, f"a pod of {workload.title} listens on another port")
            logged = _Stray(workload, pods, number, listens, True)
    return logged or _declares_another(workload, pods)


def _declares_another(workload: Ref, pods: tuple[Pod, ...]) -> _Stray | None:
    for container, port in declared_ports(pods[0]):
        for at, same in enumerate(container.ports or ()):
            if same is port:
                path = f"spec.containers[name={container.name}].ports[{at}].containerPort"
                declares = quote(pods[0], path, f"a pod of {workload.title} declares another port")
                return _Stray(workload, pods, port.container_port, declares, False)
    return None


def _fix(service: Service, meant: list[Pod], lost: list[Pod], intended: list[Ref], cluster: Cluster) -> Fix:
    """The label of all intended pods that no other has: one of their own selector, which does not change, before others."""
    shared = dict(set.intersection(*(set(pod.labels.items()) for pod in meant)))
    own = {key for workload in intended for key in _selector_keys(cluster.maybe.get_ref(workload))}
    telling = [
        (key, value)
        for key, value in sorted(shared.items(), key=lambda label: (label[0] not in own, label))
        if key not in _CHANGING and all(pod.labels.get(key) != value for pod in lost)
    ]
    if not telling:
        return Fix("Give the intended pods a label of their own in their template, and name it in the selector")
    key, value = telling[0]
    change = put(ref(service), ("spec", "selector", key), value)
    fix = Fix(f"Add {key}={value} to the selector: only the intended pods have it", command_line(change, service))
    return proven(fix, prove(change, cluster, _only(ref(service), meant)))


def _selector_keys(workload: KubernetesObject | None) -> Iterator[str]:
    selector = selector_of_workload(workload) if workload is not None else None
    yield from (requirement.key for requirement in (selector.requirements if selector is not None else ()))


def _only(service: Ref, meant: list[Pod]) -> Callable[[Cluster], bool]:
    names = {pod.name for pod in meant}

    def holds(after: Cluster) -> bool:
        changed = after.get(Service, service.namespace, service.name)
        selected = pods_selected_by(changed, after) if changed is not None else ()
        return {pod.name for pod in selected if ready(pod) and not terminating(pod)} == names

    return holds
