"""`@diagnostic`: the declaration of a check."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.model import Finding, Severity

T = TypeVar("T", bound=KubernetesObject)
Check = Callable[[T, Cluster], Iterator[Finding]]
Kind = type[KubernetesObject] | str
"""A struct, or the name of a custom kind: `Certificate.cert-manager.io`."""
EXTENSIONS = kind_name(CustomResource)
"""As a subject: the objects of every kind that an extension defines."""
HEADINGS = ("What it means", "Why it happens", "How to fix it", "References")
_CODE = compiled_later(r"^[A-Z]{2,5}\d{3,5}$")


class Explains(msgspec.Struct, frozen=True):
    """Which findings a diagnostic's finding explains: those with `codes` (empty: any code) whose object is in
    `relation` to its own.

    `kubedoctor/findings/relations.py` names the relations of Kubernetes' own kinds; a package may add its own. A
    finding that itself knows its cause names it in `because_of` instead.
    """

    relation: str
    codes: tuple[str, ...] = ()


class Diagnostic(msgspec.Struct, Generic[T], frozen=True):
    """A check with its declaration. Calling it runs the check."""

    id: str
    code: str
    subject: type[T] | str
    severity: Severity
    reads: tuple[Kind, ...]
    check: Check[T]
    when: Callable[[T], bool] | None = None
    alike: Callable[[T, Cluster], Hashable] | None = None
    among: Callable[[Cluster], Callable[[T], bool]] | None = None
    explains: tuple[Explains, ...] = ()
    also_known_as: tuple[str, ...] = ()
    symptoms: tuple[str, ...] = ()
    also_subjects: tuple[Kind, ...] = ()
    lesson: str = ""
    package: str = ""

    def __call__(self, subject: T, cluster: Cluster) -> Iterator[Finding]:
        return self.check(subject, cluster)

    @property
    def title(self) -> str:
        """The first line of the lesson, without its full stop."""
        return self.lesson.partition("\n")[0].rstrip(".")

    @property
    def subject_kind(self) -> str:
        """The kind of the subject as a Ref spells it."""
        return kind_name(self.subject)

    @property
    def subject_kinds(self) -> tuple[str, ...]:
        """The kinds that it is run on."""
        return (self.subject_kind, *(kind_name(kind) for kind in self.also_subjects))

    @property
    def read_kinds(self) -> frozenset[str]:
        """The kinds it may read: those declared and the subjects'."""
        return (frozenset(kind_name(kind) for kind in self.reads) | set(self.subject_kinds)) - {EXTENSIONS}

    def sections(self) -> dict[str, str]:
        """The lesson's sections by heading."""
        parts = re.split(r"^## +(.+)$", self.lesson, flags=re.MULTILINE)
        return {heading.strip(): body.strip() for heading, body in zip(parts[1::2], parts[2::2], strict=True)}


def diagnostic_id(module: str) -> str:
    """`area/problem` of a module: the area is the top folder in the package of diagnostics, the problem is the module;
    folders between them do not count. The package of diagnostics is the part of the path that is named `diagnostics` or
    ends in `_diagnostics`, else the first part; a module directly in it has the package's name as area.
    """
    parts = module.split(".")
    root = next((index for index, part in enumerate(parts) if re.search(r"(^|_)diagnostics$", part)), 0)
    area = parts[min(root + 1, len(parts) - 2)] if len(parts) > 1 else parts[0]
    return f"{area}/{parts[-1]}".replace("_", "-")


def diagnostic(
    *,
    code: str,
    subject: type[T] | str,
    severity: Severity,
    reads: tuple[Kind, ...],
    when: Callable[[T], bool] | None = None,
    alike: Callable[[T, Cluster], Hashable] | None = None,
    among: Callable[[Cluster], Callable[[T], bool]] | None = None,
    explains: tuple[Explains, ...] = (),
    also_known_as: tuple[str, ...] = (),
    symptoms: tuple[str, ...] = (),
    also_subjects: tuple[Kind, ...] = (),
) -> Callable[[Check[T]], Diagnostic[T]]:
    """Make a diagnostic of a check. The module's docstring is the lesson, its path the id (`pods/crash-loop`).

    subject, reads: structs, or names of custom kinds (`Certificate.cert-manager.io`), which come as CustomResource. The
    subject CustomResource stands for the objects of all custom kinds that were seen.
    when: a predicate of the subject, from kubedoctor.cluster.triage where it fits; subjects that fail it are healthy.
    alike: a key of everything that the check reads of the subject, except its name: a scan examines one of the subjects
    with equal keys, and its findings affect the others too. A subject whose key is None is examined alone.
    among: for a check that the cluster as a whole rules out for most subjects: gives the predicate, much cheaper than
    the check, of those that it cannot rule out by what was seen, or, of a check that costs a request each, of those that
    are worth one. A scan examines only these, and so does the examination of another object; all where it raises.
    also_known_as: other names of exactly this fault; reports include them.
    symptoms: what kubectl and the API show where this may be the fault (reasons, `exit code 137`), the most typical first;
    `explain` finds the page by them, and several pages may share one.
    also_subjects: further kinds to run the same check on, where the same fault occurs in several kinds. Raises
    ValueError for an invalid code.
    """
    if not _CODE.match(code):
        raise ValueError(f"{code!r} is not a code: letters, then digits")

    def declare(check: Check[T]) -> Diagnostic[T]:
        module = check.__module__
        lesson: Any = getattr(sys.modules.get(module), "__doc__", "") or ""
        return Diagnostic(
            id=diagnostic_id(module),
            code=code,
            subject=subject,
            severity=severity,
            reads=reads,
            check=check,
            when=when,
            alike=alike,
            among=among,
            explains=explains,
            also_known_as=also_known_as,
            symptoms=symptoms,
            also_subjects=also_subjects,
            lesson=str(lesson).strip(),
            package=module.partition(".")[0],
        )

    return declare
