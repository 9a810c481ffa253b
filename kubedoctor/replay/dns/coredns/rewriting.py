"""CoreDNS's plugin `rewrite` (`plugin/rewrite`, CoreDNS 1.14): questions are changed on their way in, answers back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import msgspec

from kubedoctor.replay.dns.coredns.records import Ask, DnsQuestion, DnsRecord, DnsReply, absolute
from kubedoctor.replay.dns.coredns.syntax import PluginConfig

_GROUP = re.compile(r"\{(\d+)\}")
_WITH_NAMES = ("CNAME", "DNAME", "MX", "NAPTR", "NS", "SRV", "PTR")
Rename = Callable[[str], str]


class Rewritten(msgspec.Struct, frozen=True):
    """A changed question, and how names in the answer are changed back: the owners, and those that records point to."""

    question: DnsQuestion
    owner: Rename | None = None
    target: Rename | None = None


class RewriteRule:
    """One rule. Rules that this does not know (edns0, ttl, class) change no name and are left out."""

    def __init__(self, words: Sequence[str], answers: Sequence[Sequence[str]] = ()) -> None:
        self.stops = words[0] != "continue"
        self._words = [word for word in words if word not in ("stop", "continue")]
        self._answers = [list(answer) for answer in answers]
        if "answer" in self._words[1:]:
            at = self._words.index("answer", 1)
            self._answers.append(self._words[at:])
            self._words = self._words[:at]

    def apply(self, question: DnsQuestion) -> Rewritten | None:
        """None where the rule does not match."""
        kind, *values = self._words if self._words else ("",)
        if kind == "type" and len(values) == 2:
            if values[0].upper() in (question.type, "ANY") and (values[0].upper() == question.type):
                return Rewritten(DnsQuestion(question.name, values[1].upper()))
            return None
        if kind != "name":
            return None
        how = values[0] if len(values) == 3 else "exact"
        if len(values) < 2 or (len(values) == 2 and values[0] in ("exact", "prefix", "suffix", "substring", "regex")):
            return None
        found = self._renamed(how, values[-2], values[-1], question.name.lower())
        if found is None:
            return None
        name, back = found
        owner: Rename | None = None
        target: Rename | None = None
        if how == "exact":
            owner = target = _swapped(name, question.name)
        for answer in self._answers:
            if answer[1:2] == ["auto"]:
                owner = target = back
            elif len(answer) >= 3 and answer[1] in ("name", "value"):
                chosen = _replaced(answer[-2], answer[-1])
                owner, target = (chosen, target) if answer[1] == "name" else (owner, chosen)
        return Rewritten(DnsQuestion(name, question.type), owner, target)

    @staticmethod
    def _renamed(how: str, old: str, new: str, name: str) -> tuple[str, Rename] | None:
        """The new name, and the way back."""
        if how == "exact":
            old, new = absolute(old).lower(), absolute(new).lower()
            return (new, _swapped(new, old)) if name == old else None
        if how == "prefix":
            return (new + name.removeprefix(old), _swapped_prefix(new, old)) if name.startswith(old) else None
        if how == "suffix":
            old, new = absolute(old).lower(), absolute(new).lower()
            return (name.removesuffix(old) + new, _swapped_suffix(new, old)) if name.endswith(old) else None
        if how == "substring":
            return (name.replace(old, new), lambda text: text.replace(new, old)) if old in name else None
        try:
            match = re.match(old if old.endswith("$") else f"{old}", name)
        except re.error:
            return None
        if match is None:
            return None
        return absolute(_filled(new, match)), lambda text: text


class Rewriting:
    """All rules of a server block, in order."""

    def __init__(self, configs: Sequence[PluginConfig]) -> None:
        self._rules = [rule for config in configs for rule in _rules(config)]

    def answer(self, question: DnsQuestion, following: Ask) -> DnsReply:
        asked = question
        done: list[Rewritten] = []
        for rule in self._rules:
            found = rule.apply(asked)
            if found is not None:
                asked = found.question
                done.append(found)
                if rule.stops:
                    break
        reply = following(asked)
        for rewritten in reversed(done):
            reply = msgspec.structs.replace(
                reply, answers=tuple(_changed_back(record, rewritten) for record in reply.answers)
            )
        return reply


def _rules(config: PluginConfig) -> Iterator[RewriteRule]:
    inner = list(config.body)
    if config.lines[0][-1] == "{" and inner:
        mode = [word for word in config.head if word in ("stop", "continue")]
        answers = [line for line in inner if line[0] == "answer"]
        for line in inner:
            if line[0] != "answer":
                yield RewriteRule([*mode, *line], answers)
        return
    for line in config.lines:
        words = line[1:] if line[0] == "rewrite" else line
        if words:
            yield RewriteRule(list(words))


def _changed_back(record: DnsRecord, rewritten: Rewritten) -> DnsRecord:
    name = rewritten.owner(record.name) if rewritten.owner is not None else record.name
    data = record.data
    if rewritten.target is not None and record.type in _WITH_NAMES:
        before, blank, last = data.rpartition(" ")
        data = f"{before}{blank}{rewritten.target(last)}"
    return DnsRecord(name, record.type, data)


def _swapped(new: str, old: str) -> Rename:
    return lambda text: old if text.lower() == new.lower() else text


def _swapped_suffix(new: str, old: str) -> Rename:
    return lambda text: text.removesuffix(new) + old if text.endswith(new) else text


def _swapped_prefix(new: str, old: str) -> Rename:
    return lambda text: old + text.removeprefix(new) if text.startswith(new) else text


def _replaced(pattern: str, new: str) -> Rename:
    def change(text: str) -> str:
        try:
            match = re.match(pattern, text)
        except re.error:
            return text
        return absolute(_filled(new, match)) if match is not None else text

    return change


def _filled(text: str, match: re.Match[str]) -> str:
    return _GROUP.sub(lambda group: match[int(group[1])] if int(group[1]) <= match.re.groups else "", text)
