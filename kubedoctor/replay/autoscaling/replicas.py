"""The replica count that a resource metric requests (`pkg/controller/podautoscaler/replica_calculator.go`, v1.37).

Amounts are thousandths: of a core, of a byte, of a metric's unit.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.quantities import amount_of
from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.requests import is_pod_level, pod_requests

INITIALIZATION: Final = timedelta(minutes=5)
"""`--horizontal-pod-autoscaler-cpu-initialization-period`."""
READINESS_DELAY: Final = timedelta(seconds=30)
"""`--horizontal-pod-autoscaler-initial-readiness-delay`."""
_MOST: Final = (1 << 31) - 1


class Tolerance(msgspec.Struct, frozen=True):
    """How far usage may differ from the target before the number of pods changes: 0.1 is a tenth."""

    up: float = 0.1
    down: float = 0.1

    def covers(self, ratio: float) -> bool:
        """The ratio of usage to target changes nothing."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


class Load(msgspec.Struct, frozen=True):
    """What the metrics API reports for a pod: usage, and until when and over how long it was measured."""

    value: int
    timestamp: datetime | None = None
    window: timedelta = timedelta()


class MetricTarget(msgspec.Struct, frozen=True):
    """Of a metric: per cent of the request, or an average for each pod. `container` is empty for the whole pod."""

    resource: str = ""
    utilization: int = 0
    average: int = 0
    container: str = ""


class MetricObstacle(enum.Enum):
    """Why no number can be computed."""

    NO_METRICS = "no-metrics"
    NO_PODS = "no-pods"
    ALL_UNREADY = "all-unready"
    MISSING_REQUEST = "missing-request"
    MISSING_POD_REQUEST = "missing-pod-request"
    MISSING_CONTAINER = "missing-container"
    NO_MATCH = "no-match"


class Failure(msgspec.Struct, frozen=True):
    """The pod and the container that lack what is needed."""

    obstacle: MetricObstacle
    resource: str = ""
    pod: str = ""
    container: str = ""

    @property
    def text(self) -> str:
        """The controller's words."""
        return _TEXTS[self.obstacle].format(self)


_TEXTS: Final = {
    MetricObstacle.NO_METRICS: "unable to get metrics for resource {0.resource}: no metrics returned from resource metrics API",
    MetricObstacle.NO_PODS: "no pods returned by selector while calculating replica count",
    MetricObstacle.ALL_UNREADY: "did not receive metrics for targeted pods (pods might be unready)",
    MetricObstacle.MISSING_REQUEST: "missing request for {0.resource} in container {0.container} of Pod {0.pod}",
    MetricObstacle.MISSING_POD_REQUEST: "missing pod-level request for {0.resource} in Pod {0.pod}",
    MetricObstacle.MISSING_CONTAINER: "container {0.container} not found in Pod {0.pod}",
    MetricObstacle.NO_MATCH: "no metrics returned matched known pods",
}


class Why(enum.Enum):
    """What decided the number."""

    RATIO = "ratio"
    TOLERANCE = "tolerance"
    UNCOUNTED_PODS = "uncounted-pods"
    """Counted with the pods that are not ready or have no metric, the direction would change, so nothing does."""


class Proposal(msgspec.Struct, frozen=True):
    """The number of pods, and what it was computed from.

    ratio: usage of the counted pods by their target. average: of a pod. utilization: per cent of the requests.
    unready, missing, ignored: pods that have not started yet, have no metric, or are going.
    """

    replicas: int
    why: Why
    ratio: float
    average: int
    utilization: int = 0
    ready: int = 0
    unready: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


class _Groups(msgspec.Struct):
    ready: int = 0
    unready: list[str] = []
    missing: list[str] = []
    ignored: list[str] = []


def propose(
    target: MetricTarget,
    current: int,
    pods: Sequence[Pod],
    loads: Mapping[str, Load],
    now: datetime,
    tolerance: Tolerance = Tolerance(),  # noqa: B008  # it is frozen: one instance serves every call
) -> Proposal | Failure:
    """The number before stabilisation, policies and limits. `loads` are by the name of the pod."""
    if not loads:
        return Failure(MetricObstacle.NO_METRICS, target.resource)
    if not pods:
        return Failure(MetricObstacle.NO_PODS)
    groups = _grouped(pods, loads, target.resource, now)
    values = {name: load.value for name, load in loads.items() if name not in {*groups.ignored, *groups.unready}}
    if not values:
        return Failure(MetricObstacle.ALL_UNREADY)
    requests: dict[str, int] = {}
    if target.utilization:
        found = requests_of(pods, target)
        if isinstance(found, Failure):
            return found
        requests = found
    measured = _ratio(values, requests, target)
    if measured is None:
        return Failure(MetricObstacle.NO_MATCH)
    ratio, utilization, average = measured
    replicas, why = _replicas(target, current, groups, values, requests, ratio, tolerance)
    return Proposal(
        replicas,
        why,
        ratio,
        average,
        utilization,
        groups.ready,
        tuple(groups.unready),
        tuple(groups.missing),
        tuple(groups.ignored),
    )


def _replicas(
    target: MetricTarget,
    current: int,
    groups: _Groups,
    values: dict[str, int],
    requests: Mapping[str, int],
    ratio: float,
    tolerance: Tolerance,
) -> tuple[int, Why]:
    growing = bool(groups.unready) and ratio > 1.0
    if not growing and not groups.missing:
        return (current, Why.TOLERANCE) if tolerance.covers(ratio) else (_ceil(ratio * groups.ready), Why.RATIO)
    if ratio < 1.0:
        full = max(100, target.utilization)
        values |= {
            name: requests[name] * full // 100 if target.utilization else target.average for name in groups.missing
        }
    elif ratio > 1.0:
        values |= dict.fromkeys(groups.missing, 0)
    if growing:
        values |= dict.fromkeys(groups.unready, 0)
    measured = _ratio(values, requests, target)
    if measured is None:
        return current, Why.UNCOUNTED_PODS
    again = measured[0]
    if tolerance.covers(again):
        return current, Why.TOLERANCE
    replicas = _ceil(again * len(values))
    turned = (ratio < 1.0 < again) or (again < 1.0 < ratio)
    if turned or (again < 1.0 and replicas > current) or (again > 1.0 and replicas < current):
        return current, Why.UNCOUNTED_PODS
    return replicas, Why.RATIO


def _ceil(number: float) -> int:
    return min(_MOST, math.ceil(number))


def _ratio(
    values: Mapping[str, int], requests: Mapping[str, int], target: MetricTarget
) -> tuple[float, int, int] | None:
    """Usage by target, per cent of the requests, and the average; None where no pod with a request was measured."""
    if not target.utilization:
        average = sum(values.values()) // len(values)
        return average / target.average if target.average else math.inf, 0, average
    known = [name for name in values if name in requests]
    requested = sum(requests[name] for name in known)
    if not requested:
        return None
    used = sum(values[name] for name in known)
    utilization = used * 100 // requested
    return utilization / target.utilization, utilization, used // len(known)


def _grouped(pods: Iterable[Pod], loads: Mapping[str, Load], resource: str, now: datetime) -> _Groups:
    groups = _Groups(0, [], [], [])
    for pod in pods:
        if pod.metadata.deletion_timestamp is not None or pod.status.phase == "Failed":
            groups.ignored.append(pod.name)
        elif pod.status.phase == "Pending":
            groups.unready.append(pod.name)
        elif pod.name not in loads:
            groups.missing.append(pod.name)
        elif resource == "cpu" and _starting(pod, loads[pod.name], now):
            groups.unready.append(pod.name)
        else:
            groups.ready += 1
    return groups


def _starting(pod: Pod, load: Load, now: datetime) -> bool:
    """Its usage does not count yet: the pod is not ready and just started or was never ready."""
    state, start = condition(pod.status.conditions, "Ready"), pod.status.start_time
    if state is None or start is None:
        return True
    changed = state.last_transition_time
    if start + INITIALIZATION > now:
        early = changed is not None and load.timestamp is not None and load.timestamp < changed + load.window
        return state.status == "False" or early
    return state.status == "False" and (changed is None or start + READINESS_DELAY > changed)


def requests_of(pods: Iterable[Pod], target: MetricTarget) -> dict[str, int] | Failure:
    """The requests that utilisation is computed from, by pod; every container must have one, also of pods that are ignored."""
    requests: dict[str, int] = {}
    for pod in pods:
        found = _pod_level(pod, target.resource) if not target.container and _has_own(pod) else _summed(pod, target)
        if isinstance(found, Failure):
            return found
        requests[pod.name] = found
    return requests


def _has_own(pod: Pod) -> bool:
    resources = pod.spec.resources
    return any(map(is_pod_level, (resources.requests if resources else None) or ()))


def _pod_level(pod: Pod, resource: str) -> int | Failure:
    amount = pod_requests(pod.spec).get(resource)
    return (
        amount.milli_value() if amount is not None else Failure(MetricObstacle.MISSING_POD_REQUEST, resource, pod.name)
    )


def _summed(pod: Pod, target: MetricTarget) -> int | Failure:
    sidecars = [one for one in pod.spec.init_containers or () if one.restarts_always]
    total = 0
    for container in (*(pod.spec.containers or ()), *sidecars):
        if target.container in ("", container.name):
            request = _request(container, target.resource)
            if request is None:
                return Failure(MetricObstacle.MISSING_REQUEST, target.resource, pod.name, container.name)
            total += _milli(request)
        if target.container == container.name:
            return total
    return (
        Failure(MetricObstacle.MISSING_CONTAINER, pod=pod.name, container=target.container)
        if target.container
        else total
    )


def _request(container: Container, resource: str) -> str | None:
    requests = container.resources.requests if container.resources else None
    return (requests or {}).get(resource)


def _milli(text: str) -> int:
    amount = amount_of(text)
    return amount.milli_value() if amount is not None else 0
