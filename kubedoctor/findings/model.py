"""Finding and its parts."""

from __future__ import annotations

import enum

import msgspec

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.quoting import Evidence


class Severity(enum.Enum):
    """How bad: something does not work; it will, or works badly; worth knowing, often meant so."""

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
    """What a command does to the cluster: nothing; changes it; may interrupt what runs."""

    READS = "reads"
    CHANGES = "changes"
    DISRUPTS = "disrupts"


class Command(msgspec.Struct, frozen=True):
    """A line to paste into a shell, and why one would."""

    line: str
    why: str = ""
    effect: Effect = Effect.READS


class Fix(msgspec.Struct, frozen=True):
    """A change that would help. `command` is empty where no single command does it.

    `verified` is true only if a replay ran again on the changed objects and the problem was gone. changes: the one
    object that is changed, where that is known.
    """

    summary: str
    command: str = ""
    effect: Effect = Effect.CHANGES
    verified: bool = False
    changes: Ref | None = None


class Finding(msgspec.Struct, frozen=True):
    """A conclusion about one object.

    about: the object that has the fault (the Deployment whose template is wrong), not each that suffers.
    evidence: at least one; a finding without raises ValueError.
    aspect: what tells two findings of one diagnostic about one object apart: a container's, a volume's, a port's
        name. Findings that share diagnostic, about and aspect are one; their `affects` are united.
    affects: objects that suffer from it, as far as the diagnostic knows them.
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
