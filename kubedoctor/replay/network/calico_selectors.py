"""Calico's language of selectors, as `libcalico-go/lib/selector/parser` reads it, in three values: what is not known stays so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later

_TOKEN: Final = compiled_later(
    r"\s*(?:(?P<sign>&&|\|\||!(?!=)|\(|\))"
    r"|(?P<call>all|global)\(\s*\)"
    r"|has\(\s*(?P<has>[\w./-]+)\s*\)"
    r"|(?P<key>[\w./-]+)\s*(?:"
    r"(?P<how>==|!=|(?:contains|starts\s*with|ends\s*with)(?=[\s'\"]))\s*(?P<quote>['\"])(?P<value>[^'\"]*)(?P=quote)"
    r"|(?P<list>not\s+in|in)\s*\{(?P<values>[^}]*)\}))"
)
_COMPUTED: Final = ("projectcalico.org/", "pcns.", "pcsa.")
"""Labels that Calico adds to pods: their namespace's, their ServiceAccount's."""


def calico_selects(text: str, labels: Mapping[str, str], *, whole: bool = True) -> bool | None:
    """None where the text cannot be read, or requires labels that are not known. whole: the labels are all there are, but for
    those that Calico adds."""
    if not text.strip():
        return True
    tokens = _tokens(text)
    if tokens is None:
        return None
    try:
        selected, end = _any_of(tokens, 0, labels, whole)
    except (IndexError, ValueError):
        return None
    return selected if end == len(tokens) else None


def _tokens(text: str) -> list[re.Match[str]] | None:
    tokens: list[re.Match[str]] = []
    place, text = 0, text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            return None
        tokens.append(match)
        place = match.end()
    return tokens


def _any_of(tokens: list[re.Match[str]], place: int, labels: Mapping[str, str], whole: bool) -> tuple[bool | None, int]:
    found, place = _all_of(tokens, place, labels, whole)
    while place < len(tokens) and tokens[place]["sign"] == "||":
        other, place = _all_of(tokens, place + 1, labels, whole)
        found = True if found or other else None if found is None or other is None else False
    return found, place


def _all_of(tokens: list[re.Match[str]], place: int, labels: Mapping[str, str], whole: bool) -> tuple[bool | None, int]:
    found, place = _one(tokens, place, labels, whole)
    while place < len(tokens) and tokens[place]["sign"] == "&&":
        other, place = _one(tokens, place + 1, labels, whole)
        found = False if found is False or other is False else None if found is None or other is None else True
    return found, place


def _one(tokens: list[re.Match[str]], place: int, labels: Mapping[str, str], whole: bool) -> tuple[bool | None, int]:
    token = tokens[place]
    if token["sign"] == "!":
        found, place = _one(tokens, place + 1, labels, whole)
        return None if found is None else not found, place
    if token["sign"] == "(":
        found, place = _any_of(tokens, place + 1, labels, whole)
        if tokens[place]["sign"] != ")":
            raise ValueError("an open parenthesis")
        return found, place + 1
    if token["sign"]:
        raise ValueError("a sign in place of a term")
    return _term(token, labels, whole), place + 1


def _term(token: re.Match[str], labels: Mapping[str, str], whole: bool) -> bool | None:
    if token["call"]:
        return True if token["call"] == "all" else None
    key = token["has"] or token["key"]
    if key not in labels and (not whole or key.startswith(_COMPUTED)):
        return None
    label = labels.get(key)
    if token["has"]:
        return label is not None
    if token["list"]:
        values = {value.strip(" '\"") for value in token["values"].split(",")}
        return (label in values) == (token["list"] == "in")
    value, how = token["value"], token["how"]
    if how in ("==", "!="):
        return (label == value) == (how == "==")
    if label is None:
        return False
    if how == "contains":
        return value in label
    return label.startswith(value) if how.startswith("starts") else label.endswith(value)
