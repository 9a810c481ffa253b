"""Answers any question: missing objects are fetched in rounds."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kubedoctor.answers.question import Choices, Question
from kubedoctor.answers.sheet import Sheet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot, Source
from kubedoctor.cluster.seen.wants import CannotSee
from kubedoctor.engine.examination import Gather
from kubedoctor.engine.rounds import read_in_rounds


class Answered(msgspec.Struct, frozen=True):
    """The sheet, its time and source, and the rounds of fetching that it took."""

    question: str
    sheet: Sheet
    taken_at: datetime
    source: Source
    requests: int = 0
    rounds: int = 0


def ask(question: Question, subject: Ref, choices: Choices, snapshot: Snapshot, gather: Gather) -> Answered:
    """The answer about the subject. Raises Problem for invalid choices."""
    try:
        reading = read_in_rounds(lambda cluster: question.answer(subject, choices, cluster), snapshot, gather)
        sheet, rounds, unseen = reading.answer, reading.rounds, tuple(str(gap) for gap in reading.gaps)
    except CannotSee as blind:
        sheet, rounds, unseen = question.unanswered(subject, Cluster(snapshot)), 0, (str(blind),)
    sheet = msgspec.structs.replace(sheet, gaps=(*sheet.gaps, *unseen))
    return Answered(question.name, sheet, snapshot.taken_at, snapshot.source, snapshot.requests, rounds)
