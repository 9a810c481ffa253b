"""Whether the cluster can be reached and read, as a sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from kubedoctor.answers.access.needed import ROLE, NeededRight, role_documents, subject_of
from kubedoctor.answers.access.steps import AccessStep
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Link, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.changes import Change, Operation, reference
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.findings.commands import command_line, own_command
from kubedoctor.findings.model import Command, Fix

_MOST_NAMED: Final = 3
_MOST_RULES: Final = 3
"""In one line for a shell; more are printed as a manifest."""


class AccessFound(msgspec.Struct, frozen=True):
    """What was found on the way to a cluster.

    title: the context, or what stands in its place. steps: those that were taken. user: as the API server names it.
    namespace: the only one that is asked about; empty for all. asked: how many rights were asked about. missing: those that are refused.
    only_inside: the rights refused for all namespaces that the namespace of the context has. readers: how many diagnostics read each kind.
    gaps: what could not be asked.
    """

    title: str
    steps: tuple[AccessStep, ...]
    user: str = ""
    namespace: str = ""
    asked: int = 0
    missing: tuple[NeededRight, ...] = ()
    only_inside: tuple[NeededRight, ...] = ()
    home: str = ""
    readers: Mapping[str, int] = {}
    gaps: tuple[str, ...] = ()


def access_found_sheet(found: AccessFound) -> Sheet:
    """The steps as a chain; then what may not be read, and the role that allows it."""
    failed = [step for step in found.steps if step.mark is Mark.NO]
    chain = tuple(Link(f"{step.name}: {step.text}", step.mark) for step in found.steps)
    trouble = bool(failed or found.missing)
    conclusion = Conclusion.TROUBLE if trouble else Conclusion.UNKNOWN if found.gaps else Conclusion.WELL
    hints = tuple(Fix(step.hint) for step in failed if step.hint)
    return Sheet(
        f"access to {found.title}",
        _verdict(found, failed),
        conclusion,
        facts=tuple(_facts(found)),
        tables=_tables(found),
        chain=chain,
        fixes=(*hints, *_granting(found)),
        next=_next(found),
        gaps=found.gaps,
        data=_data(found),
    )


def _verdict(found: AccessFound, failed: Sequence[AccessStep]) -> str:
    if failed:
        return "; ".join(step.text for step in failed)
    if found.missing:
        what = listed(list(dict.fromkeys(right.what for right in found.missing)), _MOST_NAMED)
        return f"connected; {counted(len(_by_resource(found.missing)), 'resource')} may not be read: {what}"
    if found.gaps:
        return "connected; not all permissions could be asked about"
    where = f" in namespace {found.namespace}" if found.namespace else ""
    return f"connected; everything that the diagnostics read may be read{where}"


def _facts(found: AccessFound) -> Iterable[Fact]:
    if found.asked:
        text = f"{found.asked - len(found.missing)} of {counted(found.asked, 'permission')} that the diagnostics need"
        yield Fact("allowed", f"{text}, by the API server's own answer")
    if found.only_inside:
        what = listed(list(dict.fromkeys(right.what for right in found.only_inside)), _MOST_NAMED)
        yield Fact(
            "note", f"In namespace {found.home} alone these may be read: {what}; so -n {found.home} has fewer gaps"
        )
    if any(right.resource == "secrets" for right in found.missing):
        yield Fact(
            "note", "Who may list Secrets may read their values; without that, their names and keys are not checked"
        )


def _by_resource(rights: Iterable[NeededRight]) -> dict[str, list[NeededRight]]:
    together: dict[str, list[NeededRight]] = {}
    for right in rights:
        together.setdefault(right.what, []).append(right)
    return together


def _tables(found: AccessFound) -> tuple[Table, ...]:
    rows = []
    for what, rights in _by_resource(found.missing).items():
        first = rights[0]
        scope = "path" if first.path else _scope(first, found)
        count = found.readers.get(first.kind, 0)
        cells = (what, " ".join(right.verb for right in rights), scope, counted(count, "diagnostic") if count else "")
        rows.append((-count, SheetRow(tuple(Cell(text) for text in cells))))
    ordered = tuple(row for _, row in sorted(rows, key=lambda pair: (pair[0], pair[1].cells[0].text)))
    return (Table(("MAY NOT BE READ", "REFUSED", "WHERE", "READ BY"), ordered),) if ordered else ()


def _scope(right: NeededRight, found: AccessFound) -> str:
    if not right.namespaced:
        return "cluster"
    return f"namespace {found.namespace}" if found.namespace else "all namespaces"


def _granting(found: AccessFound) -> tuple[Fix, ...]:
    """The role that closes the gaps, bound to who asks."""
    if not found.missing:
        return ()
    subject = subject_of(found.user)
    documents = role_documents(found.missing, found.namespace, subject, f"{ROLE}-gaps")
    rules = sum(len(document.get("rules", ())) for document in documents)
    change = Change(tuple(Operation(reference(document), create=document) for document in documents))
    whom = f", and bind it to {found.user}" if subject is not None else ""
    summary = f"Let an administrator create a role with exactly these rights{whom}"
    return (Fix(summary, command_line(change) if rules <= _MOST_RULES else ""),)


def _next(found: AccessFound) -> tuple[Command, ...]:
    if not found.missing:
        return ()
    return (
        Command(own_command("access", "--role", "missing", namespace=found.namespace), "the same role as a manifest"),
        Command(
            own_command("access", "--role", "needed", namespace=found.namespace),
            "the role with all that is needed here",
        ),
    )


def _data(found: AccessFound) -> dict[str, Any]:
    return {
        "steps": [
            {"name": step.name, "text": step.text, "passed": step.mark is not Mark.NO, "hint": step.hint}
            for step in found.steps
        ],
        "user": found.user,
        "namespace": found.namespace,
        "asked": found.asked,
        "missing": [
            {"resource": right.what, "verb": right.verb, "kind": right.kind, "namespaced": right.namespaced}
            for right in found.missing
        ],
    }
