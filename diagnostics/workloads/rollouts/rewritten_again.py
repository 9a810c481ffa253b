"""Template of a Deployment changes back and forth.

## What it means
The same two templates take turns: each time that one is rolled out, something writes the other again. Every turn replaces all
pods, and a value that was repaired by hand comes back.

## Why it happens
- Two tools write the same field: Argo CD or Flux the value from Git, a pipeline, an operator or a webhook another one.
- A CronJob in the cluster sets the value again on a schedule.
- A user repairs the object and not its source.

## How to fix it
1. Find who writes the field: `kubectl get -o yaml --show-managed-fields`.
2. Stop the writer that is wrong: suspend its CronJob, or change the value where it comes from.
3. Then repair the value once.

## References
- https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from kubedoctor.answers.timeline.alternating import HISTORY, alternation
from kubedoctor.answers.timeline.writes import Write, owners_of
from kubedoctor.cluster import (
    Cluster,
    CronJob,
    Deployment,
    ReplicaSet,
    condition,
    listed,
    quote,
    ref,
    replica_sets_of,
    selector_of_workload,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Explains,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    kubectl,
    rollout,
)
from kubedoctor.replay.permissions.grants import ROLE_KINDS, allows, bound_roles, rules_of
from kubedoctor.replay.permissions.refusals import SERVICE_ACCOUNT, Refusal
from kubedoctor.replay.workloads.rolling_update import rolled_out_often

_MOST_FIELDS: Final = 2
_LATELY: Final = timedelta(days=7)
_SOON: Final = timedelta(minutes=5)
"""From the start of a run to its write."""


@diagnostic(
    code="KD1220",
    subject=Deployment,
    severity=Severity.WARNING,
    reads=(Deployment, ReplicaSet, CronJob, *ROLE_KINDS),
    when=rolled_out_often,
    explains=(Explains("same", ("KD1201",)),),
    symptoms=("revision-history", "OutOfSync", "flapping"),
)
def rewritten_again(deployment: Deployment, cluster: Cluster) -> Iterator[Finding]:
    """Only where its ReplicaSets have been read anyway: for a Deployment that works it is not worth a request."""
    selector = selector_of_workload(deployment)
    if selector is None or not cluster.has_all(ReplicaSet, deployment.namespace, selector.text):
        return
    turns = alternation(replica_sets_of(deployment, cluster))
    if turns is None or _is_over(deployment, cluster):
        return
    fields = listed((change.text for change in turns.changes), _MOST_FIELDS)
    writers = (write for change in turns.changes for write in owners_of(deployment, change.path))
    writer = max(writers, key=lambda write: write.at, default=None)
    cron_job = _started_before(writer, deployment, cluster) if writer is not None else None
    by = f"; {writer.by} wrote it last" if writer is not None and writer.by else ""
    run = f", seconds after a run of CronJob {cron_job.namespace}/{cron_job.name}, which may do so" if cron_job else ""
    yield Finding(
        about=ref(deployment),
        summary=f"template changes back and forth, {turns.times} times each way{f' ({fields})' if fields else ''}{by}{run}",
        evidence=(
            quote(turns.now, f"metadata.annotations[{HISTORY}]", "earlier rollouts of the newest template"),
            quote(turns.other, f"metadata.annotations[{HISTORY}]", "and of the template before it"),
            *((quote(cron_job, "status.lastScheduleTime", "its last run"),) if cron_job else ()),
        ),
        confidence=Confidence.LIKELY if cron_job else Confidence.CERTAIN,
        affects=(ref(cron_job),) if cron_job else (),
        fixes=tuple(_fixes(cron_job)),
        commands=(
            Command(
                kubectl(
                    "get",
                    ref(deployment).argument,
                    "-o",
                    "yaml",
                    "--show-managed-fields",
                    namespace=deployment.namespace,
                ),
                "who wrote which field, and when",
            ),
            Command(rollout("history", ref(deployment)), "the revisions"),
        ),
    )


def _is_over(deployment: Deployment, cluster: Cluster) -> bool:
    """The last turn was long ago."""
    progressing = condition(deployment.status.conditions, "Progressing")
    last = progressing.last_update_time if progressing is not None else None
    return last is not None and cluster.taken_at - last > _LATELY


def _fixes(cron_job: CronJob | None) -> Iterator[Fix]:
    if cron_job is not None:
        line = command_line(put(ref(cron_job), ("spec", "suspend"), True), cron_job)
        yield Fix(f"Suspend CronJob {cron_job.name}, then repair the value", line)
    else:
        yield Fix("Stop the writer that is wrong, or change the value where it comes from; then repair it once")


def _started_before(writer: Write, deployment: Deployment, cluster: Cluster) -> CronJob | None:
    """The CronJob whose last run started just before the write, and whose ServiceAccount may patch the Deployment."""
    for cron_job in cluster.maybe.all(CronJob):
        started = cron_job.status.last_schedule_time
        if started is None or not timedelta() <= writer.at - started <= _SOON:
            continue
        account = cron_job.spec.job_template.spec.template.spec.service_account_name or "default"
        for verb in ("patch", "update"):
            request = Refusal(
                user=f"{SERVICE_ACCOUNT}{cron_job.namespace}:{account}",
                verb=verb,
                group="apps",
                resource="deployments",
                namespace=deployment.namespace,
                name=deployment.name,
            )
            roles = (role for _, role in bound_roles(request, cluster))
            if any(allows(rule, request) for role in roles for rule in rules_of(role, cluster) or ()):
                return cron_job
    return None
