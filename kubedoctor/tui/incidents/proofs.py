"""An incident on its way after its cause was changed: as a row of the list, and at the head of its page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from kubedoctor.engine.health import Health
from kubedoctor.engine.over_time import Healing
from kubedoctor.engine.over_time.healing import HealingStage
from kubedoctor.tui import look
from kubedoctor.tui.incidents.incident_rows import IncidentRow
from kubedoctor.tui.pages.ink import beside, blanks, ends, flowing, ink, size
from kubedoctor.tui.pages.page import Line, Piece
from kubedoctor.tui.pages.why_parts import Sections, chip, sentence_about
from kubedoctor.tui.rows import Row, searchable

_ROLES = {HealingStage.HEALED: "good", HealingStage.COPIED: "act", HealingStage.VERIFYING: "act"}
_LAST = 1_000_000
"""The place of what is healed: below all that is not."""


def with_proofs(rows: tuple[Row, ...], proofs: Sequence[Healing], namespace: str) -> tuple[Row, ...]:
    """The incidents with what is known of those that are followed; those that are gone stay for a while."""
    if not proofs:
        return rows
    by_cause = {proof.cause.id: proof for proof in proofs}
    shown = {row.finding for row in rows}
    followed = tuple(
        replace(row, reason=by_cause[row.finding].words)
        if isinstance(row, IncidentRow) and row.finding in by_cause
        else row
        for row in rows
    )
    gone = (proof for id_, proof in by_cause.items() if id_ not in shown)
    return (*followed, *(_row(proof) for proof in gone if namespace in ("", proof.cause.about.namespace)))


def _row(proof: Healing) -> IncidentRow:
    cause = proof.cause
    return IncidentRow(
        ref=cause.about,
        health=Health.HEALTHY if proof.progress is HealingStage.HEALED else Health.DEGRADED,
        ready=cause.code,
        status=proof.words,
        finding=cause.id,
        search=searchable(cause.about, cause.code, proof.words),
        place=_LAST,
        reason=proof.words,
    )


def add_proof(sections: Sections, proof: Healing, *, alone: bool) -> None:
    """What became of the change. alone: the incident is not in the report any more, so it is said what it was."""
    sections.add(partial(_proof_lines, proof))
    if alone:
        was = [
            piece if piece.about is not None else Piece(piece.text, "dim")
            for piece in sentence_about(proof.cause.about, proof.cause.summary)
        ]
        sections.label("was", lambda width: flowing(was, width))


def _proof_lines(proof: Healing, width: int) -> list[Line]:
    role = _ROLES.get(proof.progress, "broken")
    healed = proof.progress is HealingStage.HEALED
    mark = look.WELL if healed else look.WORKING if role == "act" else look.BROKEN
    health = Health.HEALTHY if healed else Health.IDLE if role == "act" else Health.BROKEN
    right: Line = (Piece("R ", "key"), Piece("write the report", "dim")) if healed and width >= 60 else ()
    first, *more = flowing([ink(proof.words, "strong")], width - 4 - (size(right) + 1 if right else 0))
    lines = [ends((*chip(health, mark), *first), right, width), *((*blanks(4), *line) for line in more)]
    note = f"fix: {proof.fix}" if proof.fix else "somebody changed what the cause is about" if proof.applied_at else ""
    lines += [(*blanks(4), *line) for line in flowing([ink(note, "dim")], width - 4)] if note else []
    if proof.progress is HealingStage.VERIFYING and proof.says:
        lines += [*beside((*blanks(4),), flowing([ink(f"still: {proof.says}", "dim")], width - 4))]
    return lines
