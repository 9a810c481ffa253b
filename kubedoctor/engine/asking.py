"""Answers any question: missing objects are fetched in rounds."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kubedoctor.answers.question import Choices, Question
from kubedoctor.answers.sheet import Fact, Sheet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot, Source
from kubedoctor.cluster.seen.wants import CannotSee
from kubedoctor.engine.examination import Gather
from kubedoctor.engine.rounds import read_in_rounds
from kubedoctor.problems import UsageProblem


class Answered(msgspec.Struct, frozen=True):
    """The sheet, its time and source, and the rounds of fetching that it took."""

    question: str
    sheet: Sheet
    taken_at: datetime
    source: Source
    requests: int = 0
    rounds: int = 0


def ask(
    question: Question, subject: Ref, choices: Choices, snapshot: Snapshot, gather: Gather, *, what_if: str = ""
) -> Answered:
    """The answer about the subject. what_if: a change as `answers/what_if` reads it, after which the question is asked.
    Raises Problem for invalid choices."""

    def answer(cluster: Cluster) -> Sheet:
        if not what_if:
            return question.answer(subject, choices, cluster)
        sheet = question.answer(subject, choices, _changed(what_if, cluster, subject))
        return msgspec.structs.replace(sheet, facts=(Fact("what if", what_if), *sheet.facts))

    try:
        reading = read_in_rounds(answer, snapshot, gather)
        sheet, rounds, unseen = reading.answer, reading.rounds, tuple(str(gap) for gap in reading.gaps)
    except CannotSee as blind:
        sheet, rounds, unseen = question.unanswered(subject, Cluster(snapshot)), 0, (str(blind),)
    sheet = msgspec.structs.replace(sheet, gaps=tuple(dict.fromkeys((*sheet.gaps, *unseen))))
    sheet = sheet.in_cluster(snapshot.source.flags)
    return Answered(question.name, sheet, snapshot.taken_at, snapshot.source, snapshot.requests, rounds)


def _changed(line: str, cluster: Cluster, subject: Ref) -> Cluster:
    from kubedoctor.answers.what_if import UnreadChange, followed, read_change  # few ask so

    try:
        return cluster.over(followed(read_change(line, cluster, subject), cluster).snapshot)
    except UnreadChange as error:
        raise UsageProblem(f"this change cannot be tried: {error}") from None
