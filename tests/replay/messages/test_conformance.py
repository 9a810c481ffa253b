"""The shared rows of messages: class, fault, deciding words, no healthy message named as trouble."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from kubedoctor.testing.oracle_message import answer_message
from tests.replay.messages.test_rows import folded


class Row(msgspec.Struct, rename={"message_class": "class"}):
    id: str
    message_class: str
    fault_of: str
    deciding: str
    fault_also: tuple[str, ...] = ()


@pytest.fixture(scope="module")
def answers(shared: Path) -> list[tuple[Row, dict[str, str]]]:
    lines = (shared / "conformance/messages/cases.jsonl").read_bytes().splitlines()
    return [(msgspec.json.decode(line, type=Row), answer_message(line)) for line in lines]


def test_class_and_fault_are_right(answers: list[tuple[Row, dict[str, str]]]) -> None:
    wrong_class = [row.id for row, answer in answers if answer.get("class") != row.message_class]
    wrong_fault = [row.id for row, answer in answers if answer.get("fault_of") not in (row.fault_of, *row.fault_also)]
    assert len(wrong_class) <= 0.05 * len(answers), wrong_class
    assert len(wrong_fault) <= 0.05 * len(answers), wrong_fault


def test_no_deciding_word_is_lost(answers: list[tuple[Row, dict[str, str]]]) -> None:
    lost = [row.id for row, answer in answers if folded(row.deciding) not in folded(answer.get("deciding", ""))]
    assert lost == []


def test_healthy_is_never_trouble(answers: list[tuple[Row, dict[str, str]]]) -> None:
    alarms = [
        row.id
        for row, answer in answers
        if row.fault_of == "nobody" and not answer["class"].endswith("/healthy") and answer["fault_of"] != "nobody"
    ]
    assert alarms == []
