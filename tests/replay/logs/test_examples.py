"""What programs of many languages wrote when they ended, and when they did not."""

from __future__ import annotations

import re

from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import read_log
from tests.replay.logs.examples import Example, read_examples

SICK = tuple(read_examples("examples"))
INNOCENT = tuple(read_examples("innocent"))
CLASSES = {fault.value for fault in LogFault}


def test_the_line_and_the_class() -> None:
    wrong = [f"{example.name}: {answer}" for example in SICK if (answer := _wrong(example))]
    assert not wrong, "\n".join(wrong)


def test_the_subject() -> None:
    wrong = []
    for example in SICK:
        cause = read_log(example.lines, example.exit_code)
        got = cause.subject if cause is not None else ""
        if (
            example.subject
            and example.subject.lower() not in got.lower()
            and got.lower() not in example.subject.lower()
        ):
            wrong.append(f"{example.name}: {got!r} for {example.subject!r}")
    assert len(wrong) <= len(SICK) * 0.1, "\n".join(wrong)


def test_a_log_of_a_program_that_went_on_accuses_nothing() -> None:
    accused = []
    for example in INNOCENT:
        cause = read_log(example.lines, example.exit_code)
        if cause is not None:
            accused.append(f"{example.name}: {cause.fault.value}: {example.lines[cause.index]}")
    assert not accused, "\n".join(accused)


def test_the_table_is_well_formed() -> None:
    assert {example.fault for example in (*SICK, *INNOCENT)} <= CLASSES
    assert all(example.deciding for example in SICK)
    assert not any(example.deciding for example in INNOCENT)
    sources = (*SICK, *INNOCENT)
    assert all(re.match(r"https://|[\w.-]+/[\w.-]+:", example.source) for example in sources)


def _wrong(example: Example) -> str:
    cause = read_log(example.lines, example.exit_code)
    if cause is None:
        return "no line"
    text = f"{cause.fault.value} by {cause.pattern!r}: {example.lines[cause.index]}"
    same = {re.sub(r"\d+", "#", example.lines[index]) for index in example.deciding}
    line_right = re.sub(r"\d+", "#", example.lines[cause.index]) in same
    return "" if line_right and cause.fault.value in {example.fault, *example.also} else text
