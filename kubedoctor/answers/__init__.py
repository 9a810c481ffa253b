"""Questions about objects and their answers, one folder per question. This module has what authors of questions use;
`proof` proves a change."""

from kubedoctor.answers.question import Argument, Choices, Option, Question, question
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Link, Mark, Sheet, SheetRow, Table

__all__ = [
    "Argument",
    "Cell",
    "Choices",
    "Conclusion",
    "Fact",
    "Link",
    "Mark",
    "Option",
    "Question",
    "Sheet",
    "SheetRow",
    "Table",
    "question",
]
