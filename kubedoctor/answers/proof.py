"""Whether a change helps: the only place where a fix becomes `verified`.

The change is applied to the snapshot, and the question is asked again. The proof also fails where the change breaks
something that was healthy. These count as healthy and must stay so:

- a pod that runs: it is deleted only where a controller creates it again, and never where another pod of its workload
  is pending, because the new pod would be pending just like that one;
- a Service that selects a ready pod: it still selects one that is not deleted;
- a pod that the network policies let ask the cluster's DNS: they still do;
- a bound claim, and a workload whose pods run for ever, with ready ones: they are not deleted;
- a CronJob with its schedule: it is not deleted;
- a ServiceAccount that pods run with: it is not deleted.

What a change leaves behind (`kubectl delete --cascade=orphan`) goes on as it is.

A rollout is not replayed: what a changed template does to pods that run is no part of the proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from kubedoctor.cluster.changes import Change, apply_to_snapshot, deleted
from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.apps import CronJob
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.cluster.relations.services import pods_selected_by
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS, controller_of, pods_of, workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, placed, ready, terminating, unscheduled
from kubedoctor.findings.model import Fix

Holds = Callable[[Cluster], bool]
"""The question for the changed cluster: whether the problem is gone."""


class Trial(msgspec.Struct, frozen=True):
    """The result of a change. holds: the problem is gone in the changed cluster. breaks: clauses for people, one for
    each thing that was healthy."""

    holds: bool
    breaks: tuple[str, ...] = ()

    @property
    def verified(self) -> bool:
        return self.holds and not self.breaks


def prove(change: Change, cluster: Cluster, holds: Holds) -> Trial:
    """Apply the change to the snapshot, and ask again. `holds` may read more, as a diagnostic does; what must stay
    healthy is judged by the objects already in the snapshot.

    Raises NotCollected and CannotSee as `holds` does.
    """
    if not holds(cluster.over(apply_to_snapshot(cluster.snapshot, change))):
        return Trial(holds=False)
    return Trial(holds=True, breaks=broken(change, cluster))


def proven(fix: Fix, trial: Trial) -> Fix:
    """The fix, verified where the trial proves it."""
    return msgspec.structs.replace(fix, verified=trial.verified)


def broken(change: Change, cluster: Cluster) -> tuple[str, ...]:
    """What was healthy and no longer is, as clauses for people: `Service shop/web has no ready pod then`."""
    snapshot = cluster.snapshot.taken_as_whole()
    before, after = Cluster(snapshot).maybe, Cluster(apply_to_snapshot(snapshot, change)).maybe
    return tuple(clause for rule in _RULES for clause in rule(change, before, after))


def ended_work(change: Change, cluster: Cluster) -> tuple[str, ...]:
    """The Jobs that run and are deleted, as clauses. No part of a proof: a Job that hangs is deleted for that."""
    gone = deleted(change.operations)
    before = Cluster(cluster.snapshot.taken_as_whole()).maybe
    clauses = []
    for name in sorted(gone) if not change.orphans else ():
        job = before.get_ref(name) if name.kind in ("Job", "CronJob") else None
        if job is None or controller_of(job) in gone:
            continue
        running = [pod for pod in pods_of(job, before) if placed(pod) and not finished(pod)]
        if running:
            clauses.append(f"{name.title} is deleted while {ref(running[0]).title} runs: its work is lost")
    return tuple(clauses)


def _running_pods(change: Change, before: Cluster, after: Cluster) -> Iterator[str]:
    for name in sorted(deleted(change.operations)):
        pod = before.get_ref(name)
        if not isinstance(pod, Pod) or not placed(pod):
            continue
        if controller_of(pod) is None:
            yield f"nothing creates {name.title} again"
            continue
        workload = before.get_ref(workload_of(pod, before))
        siblings = pods_of(workload, before) if workload is not None else _same_controller(pod, before)
        pending = [ref(sibling) for sibling in siblings if unscheduled(sibling) and not terminating(sibling)]
        if pending:
            yield f"the pod that replaces {name.title} would be pending like {pending[0].title}"


def _same_controller(pod: Pod, cluster: Cluster) -> tuple[Pod, ...]:
    owner = controller_of(pod)
    return tuple(sibling for sibling in cluster.all(Pod, pod.namespace) if controller_of(sibling) == owner)


def _services(change: Change, before: Cluster, after: Cluster) -> Iterator[str]:
    touched = {name for name in change.objects if name.kind == "Pod"}
    namespaces = sorted({name.namespace for name in touched})
    services = {ref(service): service for namespace in namespaces for service in before.all(Service, namespace)}
    for name in change.objects:
        changed_service = before.get_ref(name) if name.kind == "Service" else None
        if isinstance(changed_service, Service):
            services[name] = changed_service
    for name, service in services.items():
        serving = [pod for pod in pods_selected_by(service, before) if ready(pod) and not terminating(pod)]
        changed = after.get(Service, name.namespace, name.name)
        if serving and (changed is None or not _still_serves(changed, serving, touched, after)):
            yield f"{name.title} has no ready pod then"


def _still_serves(service: Service, serving: list[Pod], touched: set[Ref], after: Cluster) -> bool:
    selector = selector_from_map(service.spec.selector or {})
    for pod in serving:
        remaining = after.get_ref(ref(pod)) if ref(pod) in touched else pod
        if (
            isinstance(remaining, Pod)
            and ready(remaining)
            and not selector.is_empty
            and selector.matches(remaining.labels)
        ):
            return True
    return any(ready(pod) for pod in pods_selected_by(service, after))


def _lookups(change: Change, before: Cluster, after: Cluster) -> Iterator[str]:
    namespaces = {
        name.name if name.kind == "Namespace" else name.namespace for name in change.objects if name.kind in _POLICED
    }
    if not namespaces or not before.all(NetworkPolicy):
        return
    from kubedoctor.answers.lookups import (
        lost_lookups,  # brings the replays of policies and of DNS, which few fixes need
    )

    yield from lost_lookups(namespaces, before, after)


def _bound_claims(change: Change, before: Cluster, after: Cluster) -> Iterator[str]:
    for name in sorted(deleted(change.operations)):
        claim = before.get_ref(name)
        if isinstance(claim, PersistentVolumeClaim) and claim.status.phase == "Bound":
            yield f"{name.title} is deleted, which is bound to a volume"


def _workloads(change: Change, before: Cluster, after: Cluster) -> Iterator[str]:
    for name in sorted(deleted(change.operations)) if not change.orphans else ():
        workload = before.get_ref(name) if name.kind in _SERVING else None
        if workload is None or controller_of(workload) is not None:
            continue
        if number := sum(map(ready, pods_of(workload, before))):
            yield f"{name.title} is deleted, which has {counted(number, 'ready pod')}"


def _schedules(change: Change, before: Cluster, after: Cluster) -> Iterator[str]:
    for name in sorted(deleted(change.operations)):
        job = before.get_ref(name) if name.kind == "CronJob" else None
        if isinstance(job, CronJob) and not job.spec.suspend:
            yield f"{name.title} is deleted: nothing runs on its schedule {job.spec.schedule!r} any more"


def _service_accounts(change: Change, before: Cluster, after: Cluster) -> Iterator[str]:
    for name in sorted(deleted(change.operations)):
        if name.kind != "ServiceAccount" or before.get_ref(name) is None:
            continue
        if name.name == "default":
            yield "the default ServiceAccount is deleted: no pod is created until it is created again"
            continue
        users = [
            pod
            for pod in before.all(Pod, name.namespace)
            if pod.spec.service_account_name == name.name and not finished(pod)
        ]
        if users:
            whom = (
                f"{counted(len(users), 'pod')} ({ref(users[0]).title})"
                if len(users) == 1
                else counted(len(users), "pod")
            )
            yield f"{name.title} is deleted, which {whom} use: their tokens end, and no pod is created with it again"


_SERVING: Final = frozenset(WORKLOAD_KINDS) - {"CronJob", "Job"}
"""Workloads whose pods run for ever; a Job that is ready may be the one that hangs."""
_POLICED: Final = ("NetworkPolicy", "Namespace")
_RULES: Final = (_running_pods, _services, _lookups, _bound_claims, _workloads, _schedules, _service_accounts)
