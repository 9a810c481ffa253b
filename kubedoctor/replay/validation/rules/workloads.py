"""Workloads (`pkg/apis/apps/validation`, `pkg/apis/batch/validation`, v1.37)."""

from __future__ import annotations

from typing import Final

from kubedoctor.replay.validation import names
from kubedoctor.replay.validation.fields import Field
from kubedoctor.replay.validation.rules.metadata import label_selector, selects
from kubedoctor.replay.validation.rules.pods import template
from kubedoctor.replay.validation.rules.shares import is_zero, share
from kubedoctor.replay.validation.rules.storage import claim_spec
from kubedoctor.replay.workloads.schedules import ScheduleError, UnknownTimeZone, parse_schedule, time_zone

_ALWAYS: Final = ("Always",)
_LONGEST_CRON_JOB: Final = 52


def _selected(spec: Field) -> None:
    """The selector, and the labels of the template that it must match."""
    selector, labels = spec["selector"], spec["template"]["metadata"]["labels"]
    if not selector.given:
        selector.required()
        return
    label_selector(selector)
    if not (selector["matchLabels"] or selector["matchExpressions"]):
        selector.invalid("empty selector is invalid for deployment")
    elif not selects(selector, labels):
        Field(labels.value, labels.path, labels.sink).invalid("`selector` does not match template `labels`")


def _templated(spec: Field, policies: tuple[str, ...] = _ALWAYS) -> None:
    template(spec["template"])
    policy = spec["template"]["spec"]["restartPolicy"]
    if policy.text and policy.text in ("Always", "OnFailure", "Never") and policy.text not in policies:
        policy.unsupported(policies)
    if policies == _ALWAYS and spec["template"]["spec"]["activeDeadlineSeconds"].given:
        spec["template"]["spec"]["activeDeadlineSeconds"].forbidden(
            "activeDeadlineSeconds in pod template is not supported"
        )


def deployment(document: Field) -> None:
    spec = document["spec"]
    spec["replicas"].at_least(0)
    _selected(spec)
    _templated(spec)
    strategy, rolling = spec["strategy"], spec["strategy"]["rollingUpdate"]
    strategy["type"].one_of(("Recreate", "RollingUpdate"))
    if strategy["type"].text == "Recreate" and rolling.given:
        rolling.forbidden("may not be specified when strategy `type` is 'Recreate'")
    elif rolling.given:
        share(rolling["maxUnavailable"], most=100)
        share(rolling["maxSurge"])
        if is_zero(rolling["maxUnavailable"]) and is_zero(rolling["maxSurge"]):
            rolling["maxUnavailable"].invalid("may not be 0 when `maxSurge` is 0")
    ready, deadline = spec["minReadySeconds"], spec["progressDeadlineSeconds"]
    ready.at_least(0)
    spec["revisionHistoryLimit"].at_least(0)
    deadline.at_least(0)
    if (ready.number or 0) >= (600 if deadline.number is None else deadline.number):
        deadline.invalid("must be greater than minReadySeconds")


def replica_set(document: Field) -> None:
    spec = document["spec"]
    spec["replicas"].at_least(0)
    spec["minReadySeconds"].at_least(0)
    _selected(spec)
    if not spec["template"].given:
        spec["template"].required()
    else:
        _templated(spec)


def replication_controller(document: Field) -> None:
    spec = document["spec"]
    spec["replicas"].at_least(0)
    spec["minReadySeconds"].at_least(0)
    if not spec["template"].given:
        spec["template"].required()
        return
    labels = spec["template"]["metadata"]["labels"]
    if not (spec["selector"] or labels):
        spec["selector"].required()
    elif any(labels[key].text != value.text for key, value in spec["selector"].entries()):
        labels.invalid("`selector` does not match template `labels`")
    _templated(spec)


def stateful_set(document: Field) -> None:
    spec = document["spec"]
    spec["replicas"].at_least(0)
    spec["minReadySeconds"].at_least(0)
    spec["revisionHistoryLimit"].at_least(0)
    _selected(spec)
    service = spec["serviceName"]
    if service.text:
        service.must(names.dns_subdomain(service.text))
    spec["podManagementPolicy"].one_of(("OrderedReady", "Parallel"))
    strategy = spec["updateStrategy"]
    strategy["type"].one_of(("OnDelete", "RollingUpdate"))
    if strategy["type"].text == "OnDelete" and strategy["rollingUpdate"].given:
        strategy["rollingUpdate"].invalid("only allowed for updateStrategy 'RollingUpdate'")
    strategy["rollingUpdate"]["partition"].at_least(0)
    for key in ("whenDeleted", "whenScaled"):
        spec["persistentVolumeClaimRetentionPolicy"][key].one_of(("Delete", "Retain"))
    for claim in spec["volumeClaimTemplates"].each():
        claim_spec(claim["spec"])
    _templated(with_claims(spec))


def with_claims(spec: Field) -> Field:
    """The specification with the volumes that a StatefulSet makes of its claims."""
    claims = [claim["metadata"]["name"].text for claim in spec["volumeClaimTemplates"].each()]
    pod = spec["template"]["spec"].value
    if not (claims and isinstance(pod, dict)):
        return spec
    own = [
        volume for volume in pod.get("volumes") or () if isinstance(volume, dict) and volume.get("name") not in claims
    ]
    volumes = [*own, *({"name": name} for name in claims)]
    inner = {**spec["template"].value, "spec": {**pod, "volumes": volumes}}
    return Field({**spec.value, "template": inner}, spec.path, spec.sink)


def daemon_set(document: Field) -> None:
    spec = document["spec"]
    spec["minReadySeconds"].at_least(0)
    spec["revisionHistoryLimit"].at_least(0)
    _selected(spec)
    _templated(spec)
    strategy = spec["updateStrategy"]
    strategy["type"].one_of(("OnDelete", "RollingUpdate"))
    rolling = strategy["rollingUpdate"]
    if rolling.given and strategy["type"].text != "OnDelete":
        share(rolling["maxUnavailable"], most=100)
        share(rolling["maxSurge"], most=100)
        surge = rolling["maxSurge"].given and not is_zero(rolling["maxSurge"])
        unavailable = rolling["maxUnavailable"]
        if surge and unavailable.given and not is_zero(unavailable):
            rolling["maxSurge"].invalid("may not be set when maxUnavailable is non-zero")
        if unavailable.given and is_zero(unavailable) and not surge:
            unavailable.invalid("cannot be 0 when maxSurge is 0")


def job(document: Field) -> None:
    job_spec(document["spec"], own=True)


def job_spec(spec: Field, *, own: bool) -> None:
    """own: of a Job, not of a CronJob."""
    for key in ("parallelism", "completions", "backoffLimit", "ttlSecondsAfterFinished", "activeDeadlineSeconds"):
        spec[key].at_least(0)
    if spec["manualSelector"].value is not True and spec["selector"].given and own:
        spec["selector"].invalid(
            "`selector` is generated by the Job controller and must not be set without manualSelector"
        )
    if spec["manualSelector"].given and not own:
        spec["manualSelector"].unsupported(("nil",))
    spec["completionMode"].one_of(("NonIndexed", "Indexed"))
    if spec["completionMode"].text == "Indexed" and spec["parallelism"].given and not spec["completions"].given:
        spec["completions"].required("when completion mode is Indexed")
    spec["podReplacementPolicy"].one_of(("Failed", "TerminatingOrFailed"))
    template(spec["template"])
    policy = spec["template"]["spec"]["restartPolicy"]
    if policy.text in ("", "Always"):
        policy.required('valid values: "OnFailure", "Never"') if not policy.text else policy.unsupported(
            ("OnFailure", "Never")
        )
    if spec["podFailurePolicy"].given and policy.text == "OnFailure":
        policy.invalid('only "Never" is supported when podFailurePolicy is specified')


def cron_job(document: Field) -> None:
    spec = document["spec"]
    name = document["metadata"]["name"]
    if len(name.text) > _LONGEST_CRON_JOB:
        name.invalid(f"must be no more than {_LONGEST_CRON_JOB} characters")
    if not spec["schedule"].text:
        spec["schedule"].required()
    else:
        _schedule(spec["schedule"])
    zone = spec["timeZone"]
    if zone.given:
        if not zone.text:
            zone.invalid("timeZone must be nil or non-empty string")
        elif zone.text.lower() == "local":
            zone.invalid("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")
        else:
            _time_zone(zone)
    spec["startingDeadlineSeconds"].at_least(0)
    for key in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        spec[key].at_least(0)
    spec["concurrencyPolicy"].one_of(("Allow", "Forbid", "Replace"))
    job_spec(spec["jobTemplate"]["spec"], own=False)


def _time_zone(at: Field) -> None:
    try:
        time_zone(at.text)
    except UnknownTimeZone:
        at.invalid(f"unknown time zone {at.text}")


def _schedule(at: Field) -> None:
    if "TZ" in at.text:
        at.invalid("cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
        return
    try:
        parse_schedule(at.text)
    except UnknownTimeZone:
        return
    except ScheduleError as error:
        at.invalid(str(error))
