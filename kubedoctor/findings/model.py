"""Finding and its parts."""

from __future__ import annotations

import enum

import msgspec

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.quoting import Evidence


class Severity(enum.Enum):
    """How bad: something does not work; it soon will not, or works badly; worth knowing, often intended."""

    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


class Confidence(enum.Enum):
    """How sure.

    certain: Kubernetes itself states the cause in a quoted field, or a replay that agrees with it proves it.
    likely: the quoted facts fit, and the usual rivals are excluded.
    possible: they fit, other causes fit too; `would_disprove` says what would tell them apart.
    """

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"

    @property
    def rank(self) -> int:
        """0 is the surest."""
        return list(Confidence).index(self)


class Effect(enum.Enum):
    """What a command does to the cluster: nothing; changes it; may interrupt running pods."""

    READS = "reads"
    CHANGES = "changes"
    DISRUPTS = "disrupts"


class Command(msgspec.Struct, frozen=True):
    """A line to paste into a shell, and its purpose."""

    line: str
    why: str = ""
    effect: Effect = Effect.READS


class Fix(msgspec.Struct, frozen=True):
    """A change that would help. `command` is empty where no single command does it.

    `verified` is true only if a replay on the changed objects showed that the problem is gone. changes: the object that
    is changed, where it is known and the only one.
    """

    summary: str
    command: str = ""
    effect: Effect = Effect.CHANGES
    verified: bool = False
    changes: Ref | None = None


class Finding(msgspec.Struct, frozen=True):
    """A conclusion about one object.

    about: the object that has the fault (the Deployment whose template is wrong), not every affected object.
    evidence: at least one; a finding without evidence raises ValueError.
    aspect: distinguishes findings of one diagnostic about one object: the name of a container, a volume, a port.
    Findings that share diagnostic, about and aspect are one; their `affects` are united.
    affects: objects with symptoms of the fault, as far as the diagnostic knows them.
    because_of: objects that this finding blames (the Service that refuses the connection); a finding about one of
        them explains this one.
    severity: only where it differs from the diagnostic's.
    """

    about: Ref
    summary: str
    evidence: tuple[Evidence, ...]
    confidence: Confidence
    detail: str = ""
    fixes: tuple[Fix, ...] = ()
    commands: tuple[Command, ...] = ()
    would_disprove: str = ""
    aspect: str = ""
    affects: tuple[Ref, ...] = ()
    because_of: tuple[Ref, ...] = ()
    severity: Severity | None = None

    def __post_init__(self) -> None:
        if not self.evidence:
            raise ValueError(f"a finding about {self.about} without evidence: {self.summary}")
        if self.confidence is Confidence.POSSIBLE and not self.would_disprove:
            raise ValueError(f"a possible finding about {self.about} must state what would disprove it")
