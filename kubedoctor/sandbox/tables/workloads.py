"""How workloads are printed: deployments, replica sets, jobs, autoscalers, disruption budgets."""

from __future__ import annotations

from datetime import datetime

from kubedoctor.sandbox.exchange import Object
from kubedoctor.sandbox.tables.ages import age, human_duration, parsed
from kubedoctor.sandbox.tables.printing import (
    NONE,
    UNKNOWN,
    Cells,
    Printer,
    at,
    containers,
    created,
    label_text,
    name,
    selector_text,
)

_WIDE = "Containers*, Images*, Selector*"


def _pod_spec(obj: Object) -> object:
    return at(obj, "spec", "template", "spec")


def _count(obj: Object, field: str) -> int:
    return int(at(obj, "status", field, default=0))


def _deployment(obj: Object, now: datetime) -> Cells:
    return [
        name(obj),
        f"{_count(obj, 'readyReplicas')}/{at(obj, 'spec', 'replicas', default=1)}",
        _count(obj, "updatedReplicas"),
        _count(obj, "availableReplicas"),
        created(obj, now),
        *containers(_pod_spec(obj)),
        selector_text(at(obj, "spec", "selector")),
    ]


def _replica_set(obj: Object, now: datetime) -> Cells:
    return [
        name(obj),
        at(obj, "spec", "replicas", default=1),
        _count(obj, "replicas"),
        _count(obj, "readyReplicas"),
        created(obj, now),
        *containers(_pod_spec(obj)),
        selector_text(at(obj, "spec", "selector")),
    ]


def _replication_controller(obj: Object, now: datetime) -> Cells:
    return [*_replica_set(obj, now)[:-1], label_text(at(obj, "spec", "selector"))]


def _stateful_set(obj: Object, now: datetime) -> Cells:
    ready = f"{_count(obj, 'readyReplicas')}/{at(obj, 'spec', 'replicas', default=1)}"
    return [name(obj), ready, created(obj, now), *containers(_pod_spec(obj))]


def _daemon_set(obj: Object, now: datetime) -> Cells:
    return [
        name(obj),
        _count(obj, "desiredNumberScheduled"),
        _count(obj, "currentNumberScheduled"),
        _count(obj, "numberReady"),
        _count(obj, "updatedNumberScheduled"),
        _count(obj, "numberAvailable"),
        label_text(at(_pod_spec(obj), "nodeSelector")),
        created(obj, now),
        *containers(_pod_spec(obj)),
        selector_text(at(obj, "spec", "selector")),
    ]


_JOB_STATES = (
    ("Complete", "Complete"),
    ("Failed", "Failed"),
    ("", "Terminating"),
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def _job_status(obj: Object) -> str:
    true = {
        condition["type"]
        for condition in at(obj, "status", "conditions", default=[])
        if condition.get("status") == "True"
    }
    if at(obj, "metadata", "deletionTimestamp"):
        true.add("")
    return next((word for condition, word in _JOB_STATES if condition in true), "Running")


def _job(obj: Object, now: datetime) -> Cells:
    succeeded, completions = _count(obj, "succeeded"), at(obj, "spec", "completions")
    parallelism = at(obj, "spec", "parallelism", default=0)
    if completions is not None:
        progress = f"{succeeded}/{completions}"
    else:
        progress = f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"
    start, end = parsed(at(obj, "status", "startTime")), parsed(at(obj, "status", "completionTime"))
    took = human_duration(((end or now) - start).total_seconds()) if start else ""
    return [
        name(obj),
        _job_status(obj),
        progress,
        took,
        created(obj, now),
        *containers(_pod_spec(obj)),
        selector_text(at(obj, "spec", "selector")),
    ]


def _cron_job(obj: Object, now: datetime) -> Cells:
    last = at(obj, "status", "lastScheduleTime")
    job = at(obj, "spec", "jobTemplate")
    return [
        name(obj),
        at(obj, "spec", "schedule", default=""),
        at(obj, "spec", "timeZone", default=NONE),
        str(at(obj, "spec", "suspend", default=False)),
        len(at(obj, "status", "active", default=[])),
        age(last, now) if last else NONE,
        created(obj, now),
        *containers(at(job, "spec", "template", "spec")),
        selector_text(at(job, "spec", "selector")),
    ]


def _controller_revision(obj: Object, now: datetime) -> Cells:
    owner = next(
        (owner for owner in at(obj, "metadata", "ownerReferences", default=[]) if owner.get("controller")), None
    )
    controller = NONE
    if owner is not None:
        group = owner["apiVersion"].rpartition("/")[0]
        kind = f"{owner['kind']}.{group}" if group else owner["kind"]
        controller = f"{kind.lower()}/{owner['name']}"
    return [name(obj), controller, obj.get("revision"), created(obj, now)]


def _budget(obj: Object, now: datetime) -> Cells:
    return [
        name(obj),
        str(at(obj, "spec", "minAvailable", default="N/A")),
        str(at(obj, "spec", "maxUnavailable", default="N/A")),
        _count(obj, "disruptionsAllowed"),
        created(obj, now),
    ]


def _autoscaler(obj: Object, now: datetime) -> Cells:
    target = at(obj, "spec", "scaleTargetRef", default={})
    return [
        name(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _targets(at(obj, "spec", "metrics", default=[]), at(obj, "status", "currentMetrics", default=[])),
        str(at(obj, "spec", "minReplicas", default=1)),
        at(obj, "spec", "maxReplicas", default=0),
        _count(obj, "currentReplicas"),
        created(obj, now),
    ]


def _targets(specs: list[Object], statuses: list[Object]) -> str:
    """`formatHPAMetrics`, v1.37."""
    if not specs:
        return NONE
    targets = [_target(metric, statuses[index] if index < len(statuses) else {}) for index, metric in enumerate(specs)]
    text = ", ".join(targets[:2])
    return f"{text} + {len(targets) - 2} more..." if len(targets) > 2 else text


def _target(spec: Object, status: Object) -> str:
    kind = str(spec.get("type", ""))
    field = kind[:1].lower() + kind[1:]
    source = spec.get(field)
    if source is None:
        return "<unknown type>"
    target, current = at(source, "target", default={}), at(status, field, "current", default={})
    average = at(target, "averageValue")
    if kind in ("Resource", "ContainerResource"):
        if average is not None:
            return f"{source.get('name')}: {at(current, 'averageValue', default=UNKNOWN)}/{average}"
        used, aim = at(current, "averageUtilization"), at(target, "averageUtilization")
        return (
            f"{source.get('name')}: {UNKNOWN if used is None else f'{used}%'}/{'<auto>' if aim is None else f'{aim}%'}"
        )
    if kind == "Pods":
        return f"{at(current, 'averageValue', default=UNKNOWN)}/{average}"
    if average is not None:
        return f"{at(current, 'averageValue', default=UNKNOWN)}/{average} (avg)"
    return f"{at(current, 'value', default=UNKNOWN)}/{at(target, 'value')}"


def _scale(obj: Object, now: datetime) -> Cells:
    return [
        name(obj),
        at(obj, "spec", "replicas", default=0),
        _count(obj, "replicas"),
        created(obj, now),
    ]


_REPLICAS = f"Name, Desired:integer, Current:integer, Ready:integer, Age, {_WIDE}"

PRINTERS = {
    "Deployment": Printer(f"Name, Ready, Up-to-date, Available, Age, {_WIDE}", _deployment),
    "ReplicaSet": Printer(_REPLICAS, _replica_set),
    "ReplicationController": Printer(_REPLICAS, _replication_controller),
    "Scale": Printer("Name, Desired:integer, Available:integer, Age", _scale),
    "StatefulSet": Printer("Name, Ready, Age, Containers*, Images*", _stateful_set),
    "DaemonSet": Printer(
        "Name, Desired:integer, Current:integer, Ready:integer, Up-to-date:integer, Available:integer, Node Selector,"
        f" Age, {_WIDE}",
        _daemon_set,
    ),
    "Job": Printer(f"Name, Status, Completions, Duration, Age, {_WIDE}", _job),
    "CronJob": Printer(
        f"Name, Schedule, Timezone, Suspend:boolean, Active:integer, Last Schedule, Age, {_WIDE}", _cron_job
    ),
    "ControllerRevision": Printer("Name, Controller, Revision, Age", _controller_revision),
    "PodDisruptionBudget": Printer("Name, Min Available, Max Unavailable, Allowed Disruptions:integer, Age", _budget),
    "HorizontalPodAutoscaler": Printer("Name, Reference, Targets, MinPods, MaxPods, Replicas, Age", _autoscaler),
}
