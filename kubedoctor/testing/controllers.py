"""The oracle's answers about controllers, evictions and drains."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from kubedoctor.cluster.kinds.apps import CronJob, DaemonSet, Deployment, StatefulSet
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.replay.autoscaling.replicas import Failure, Load, MetricTarget, Tolerance, propose
from kubedoctor.replay.disruption.drains import DrainOptions, drain
from kubedoctor.replay.disruption.evictions import evict
from kubedoctor.replay.workloads.cron_jobs import due_run
from kubedoctor.replay.workloads.rollouts import rollout_of
from kubedoctor.replay.workloads.schedules import ScheduleError, parse_schedule, time_zone
from kubedoctor.testing.asked import Answer, converted

LATER: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""The time of a question that has none: all that is given is long ago."""
NEVER: Final = "0001-01-01T00:00:00Z"
"""Go's zero time."""
NO_RUN: Final = "time difference between two schedules is less than 1 second"
ROLLOUTS: Final[dict[str, type[Deployment] | type[DaemonSet] | type[StatefulSet]]] = {
    "Deployment": Deployment,
    "DaemonSet": DaemonSet,
    "StatefulSet": StatefulSet,
}


def _rollout(request: msgspec.Raw) -> Answer:
    data = msgspec.json.decode(request)
    kind, group = data["object"].get("kind", ""), data["object"].get("apiVersion", "").partition("/")[0]
    if kind not in ROLLOUTS:
        return {"error": f"no status viewer has been implemented for {kind}.{group}"}
    workload = converted(ROLLOUTS[kind], data["object"])
    rollout = rollout_of(workload, int(data.get("revision") or 0))
    answer: Answer = {"message": "" if rollout.failed else rollout.text, "done": rollout.done}
    return answer | ({"error": rollout.text} if rollout.failed else {})


def _cron(request: msgspec.Raw) -> Answer:
    data = msgspec.json.decode(request)
    cron_job = converted(CronJob, data["cronJob"]) if data.get("cronJob") else None
    text = cron_job.spec.schedule if cron_job else data.get("schedule", "")
    zone = (cron_job.spec.time_zone if cron_job else data.get("timeZone")) or ""
    try:
        time_zone(zone)
        schedule = parse_schedule(text, zone)
    except ScheduleError as error:
        return {"error": str(error)}
    if cron_job is not None:
        found = due_run(cron_job, schedule, _instant(data.get("now")))
        answer: Answer = {"tooManyMissed": found.too_many, "next": _time(found.next)}
        answer |= {"due": _time(found.due)} if found.due else {}
        return answer | ({"error": NO_RUN} if found.never else {})
    times: list[str] = []
    at: datetime | None = _instant(data.get("from"))
    while len(times) < data.get("count", 0) and at is not None and (at := schedule.next(at)) is not None:
        times.append(_time(at))
    return {"times": times}


def _instant(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else datetime(1, 1, 1, tzinfo=UTC)


def _time(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else NEVER


class _Load(msgspec.Struct, rename="camel"):
    value: int = 0
    timestamp: datetime | None = None
    window_seconds: float = 0


class _Autoscaling(msgspec.Struct, rename="camel"):
    current_replicas: int = 0
    resource: str = ""
    container: str = ""
    target_utilization: int = 0
    target_average: int = 0
    tolerance_up: float = 0
    tolerance_down: float = 0
    pods: tuple[dict[str, Any], ...] | None = None
    metrics: dict[str, _Load] | None = None


def _hpa(request: msgspec.Raw) -> Answer:
    asked = msgspec.json.decode(request, type=_Autoscaling)
    loads = {
        name: Load(load.value, load.timestamp, timedelta(seconds=load.window_seconds))
        for name, load in (asked.metrics or {}).items()
    }
    target = MetricTarget(asked.resource, asked.target_utilization, asked.target_average, asked.container)
    pods = [converted(Pod, pod) for pod in asked.pods or ()]
    tolerance = Tolerance(asked.tolerance_up, asked.tolerance_down)
    proposal = propose(target, asked.current_replicas, pods, loads, LATER, tolerance)
    if isinstance(proposal, Failure):
        return {"error": proposal.text}
    answer: Answer = {"replicas": proposal.replicas, "average": proposal.average}
    return answer | ({"utilization": proposal.utilization} if asked.target_utilization else {})


def _eviction(request: msgspec.Raw) -> Answer:
    data = msgspec.json.decode(request)
    budgets = [converted(PodDisruptionBudget, budget) for budget in data.get("budgets") or ()]
    verdict = evict(converted(Pod, data["pod"]), budgets)
    return {
        "allowed": verdict.allowed,
        "code": verdict.code,
        "message": verdict.message,
        "causes": list(verdict.causes),
    }


def _drain(request: msgspec.Raw) -> Answer:
    data = msgspec.json.decode(request)
    objects = data.get("objects") or ()
    pods = [converted(Pod, obj) for obj in objects if obj["kind"] == "Pod"]
    daemon_sets = {
        (obj["metadata"].get("namespace", ""), obj["metadata"]["name"]) for obj in objects if obj["kind"] == "DaemonSet"
    }
    options = DrainOptions(
        force=data.get("force", False),
        ignore_daemon_sets=data.get("ignoreDaemonSets", False),
        delete_empty_dir_data=data.get("deleteEmptyDirData", False),
        skip_deleted=data.get("skipWaitForDeleteTimeoutSeconds", 0),
        pod_selector=data.get("podSelector", ""),
    )
    here = [pod for pod in pods if pod.spec.node_name == data.get("node", "")]
    drained = drain(here, daemon_sets, options, LATER)
    return {
        "pods": sorted(f"{pod.namespace}/{pod.name}" for pod in drained.leaving),
        "warnings": "; ".join(drained.warnings),
        "errors": drained.errors,
    }


MODES: Final[dict[str, Callable[[msgspec.Raw], Answer]]] = {
    "rollout": _rollout,
    "cron": _cron,
    "hpa": _hpa,
    "eviction": _eviction,
    "drain": _drain,
}
"""Modes of the oracle, by name."""
