"""Why a Job ended or a CronJob starts none: pkg/controller/{job,cronjob}."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

JOB = Area(
    "job",
    (
        Phrase(
            _C.JOB_HEALTHY,
            _F.NOTHING,
            r"^Job completed|^Created pod|^Reached expected number|^Deleted pod|Job (suspended|resumed)"
            r"|^Job was resumed|^Job resumed|SuccessPolicy|success policy|Matched rules at index"
            r"|CompletionsReached",
        ),
        Phrase(
            _C.JOB_FAILURE_POLICY,
            _F.IMAGE,
            r"matching FailJob rule|matching FailIndex|PodFailurePolicy|FailJob rule|rule at index"
            r"|PodFailurePolicyOnExitCodes",
        ),
        Phrase(
            _C.JOB_LIMIT_REACHED,
            _F.IMAGE,
            r"reached the specified backoff limit|backoff ?limit|longer than (the )?specified deadline"
            r"|DeadlineExceeded|deadline|failed indexes|max(imum)? (number of )?failed indexes|MaxFailedIndexes"
            r"|FailedIndexes|backoffLimitPerIndex|has failed",
        ),
    ),
    (_C.JOB_LIMIT_REACHED, _F.IMAGE),
)
CRONJOB = Area(
    "cronjob",
    (
        Phrase(
            _C.CRONJOB_SCHEDULE_INVALID,
            _F.TEMPLATE,
            r"unparse?able schedule|unparseable cron|invalid schedule|UnparseableSchedule|UnknownTimeZone"
            r"|unknown time ?zone|invalid timezone|time ?zone|UnsupportedSchedule|TZ=|CRON_TZ|InvalidSchedule"
            r"|schedule .*(invalid|never|parse)|unknown schedule|NextScheduleTime",
        ),
        Phrase(
            _C.CRONJOB_MISSED,
            _F.CONFIGURATION,
            r"missed (start|scheduled|more)|too many missed|MissSchedule|too late|clock skew|startingDeadline",
        ),
        Phrase(_C.CRONJOB_CREATION, _F.QUOTA, r"exceeded quota|failed quota|quota"),
        Phrase(_C.CRONJOB_CREATION, _F.WEBHOOK, r"failed calling webhook"),
        Phrase(
            _C.CRONJOB_CREATION,
            _F.CONFIGURATION,
            r"is forbidden: User|cannot create resource|being terminated|already exists",
        ),
        Phrase(
            _C.CRONJOB_CREATION,
            _F.TEMPLATE,
            r"error creating job|failed to create|FailedCreate|is invalid|is forbidden|denied",
        ),
        Phrase(
            _C.CRONJOB_HEALTHY,
            _F.NOTHING,
            r"prior execution is running|^Created job|^Saw completed job|^Deleted job|^Saw a job"
            r"|Active job went missing|Successful|^Completed|Forbid|finished|Killed|Replace",
        ),
    ),
    (_C.CRONJOB_CREATION, _F.TEMPLATE),
)
