"""Selectors against upstream's answers, and by their own laws."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubedoctor.cluster.grammar.selectors import (
    CompiledNodeSelector,
    Requirement,
    Selector,
    SelectorError,
    node_selector_matches,
    parse_field_selector,
    parse_label_selector,
    selector_from_map,
    selector_of,
)


class Expression(msgspec.Struct):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class LabelSelector(msgspec.Struct, rename="camel"):
    match_labels: dict[str, str] | None = None
    match_expressions: tuple[Expression, ...] | None = None


class Term(msgspec.Struct, rename="camel"):
    match_expressions: tuple[Expression, ...] | None = None
    match_fields: tuple[Expression, ...] | None = None


def rows(shared: Path, mode: str) -> list[dict[str, Any]]:
    with gzip.open(shared / "conformance/fuzz/selectors.jsonl.gz", "rt") as lines:
        found = [row for line in lines if (row := json.loads(line))["mode"] == mode]
    assert len(found) > 40
    return found


def label_selector_answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        if "text" in request:
            selector = parse_label_selector(request["text"])
        else:
            selector = selector_of(msgspec.convert(request["selector"], LabelSelector | None))
    except SelectorError:
        return {"error": True, "canonical": ""}
    return {"canonical": selector.text, "matches": [selector.matches(labels) for labels in request["labels"]]}


def test_label_selectors_answer_as_upstream(shared: Path) -> None:
    for row in rows(shared, "labelselector"):
        expected = dict(row["answer"])
        if "error" in expected:
            expected["error"] = True
        assert label_selector_answer(row["request"]) == expected, row["id"]


def test_field_selectors_answer_as_upstream(shared: Path) -> None:
    for row in rows(shared, "fieldselector"):
        selector = parse_field_selector(row["request"]["text"])
        answer = {"canonical": selector.text, "matches": [selector.matches(each) for each in row["request"]["fields"]]}
        assert answer == row["answer"], row["id"]


def test_node_selectors_answer_as_upstream(shared: Path) -> None:
    for row in rows(shared, "nodeselector"):
        request = row["request"]
        spec = request["pod"].get("spec", {}) if "pod" in request else {}
        simple = selector_from_map(spec.get("nodeSelector"))
        if "pod" in request:
            affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
            required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
        else:
            required = request["selector"]
        selector = (
            CompiledNodeSelector(msgspec.convert(required["nodeSelectorTerms"], tuple[Term, ...])) if required else None
        )
        for node, expected in zip(request["nodes"], row["answer"]["nodes"], strict=True):
            labels, name = node["metadata"].get("labels"), node["metadata"]["name"]
            first = simple.matches(labels)
            matched = first and (selector is None or selector.matches(labels, name))
            answer: dict[str, Any] = {"match": matched}
            if first and not matched and selector is not None and selector.errors:
                answer["error"] = True
            if "error" in expected:
                expected["error"] = True
            assert answer == expected, row["id"]


@pytest.mark.parametrize(
    "text",
    [
        # apimachinery/pkg/labels/selector_test.go, TestSelectorParse
        "x=a,y=b,z=c",
        "",
        "x!=a,y=b",
        "x=",
        "x= ",
        "x=,z= ",
        "x= ,z= ",
        "!x",
        "x>1",
        "x>1,z<5",
        # what a lexer may stumble over
        "in in (in)",
        "notin notin (notin,in)",
        "x in (,a)",
        "x in (a,)",
        "x in (a,,b)",
        "x in ()",
        "x in (,)",
        "x\t\n in\r(a)",
        "a==\0",
        "a==b\0",
        "a" * 63,
        "a." * 126 + "a/b",
        "a \0b",
    ],
)
def test_texts_that_upstream_reads(text: str) -> None:
    assert parse_label_selector(parse_label_selector(text).text) == parse_label_selector(text)


@pytest.mark.parametrize(
    "text",
    [
        # apimachinery/pkg/labels/selector_test.go, TestSelectorParse
        "x=a||y=b",
        "x==a==b",
        "!x=a",
        "x<a",
        # and TestSetSelectorParser
        "x,",
        "a,,b",
        ",",
        "x in",
        "x in (",
        "x in (a",
        "x notin (a b)",
        "x y",
        "!",
        "!!x",
        "x=!a",
        "a/b/c",
        "/a",
        "A.b/c",
        "x=-a",
        "x=" + "a" * 64,
        "ä=b",
        "a" * 64,
        "a." * 126 + "aa/b",
        "a\0b",
        "x>99999999999999999999",
    ],
)
def test_texts_that_upstream_refuses(text: str) -> None:
    with pytest.raises(SelectorError, match=r"cannot be read: .+\.$"):
        parse_label_selector(text)


@pytest.mark.parametrize("text", ["a", "a=b,c", r"a=\b", "a=b\\", "a=b=c", "a!b"])
def test_field_texts_that_upstream_refuses(text: str) -> None:
    with pytest.raises(SelectorError, match=r"cannot be read: .+\.$"):
        parse_field_selector(text)


def test_spaces_in_a_field_selector_count() -> None:
    assert parse_field_selector(" a =b").matches({" a ": "b"})
    assert not parse_field_selector(" a =b").matches({"a": "b"})


def test_field_terms_without_field_and_value_count_for_nothing() -> None:
    assert parse_field_selector("=,,a=1,!=").text == "a=1"
    assert parse_field_selector("==").is_empty


def test_a_missing_selector_selects_nothing_and_an_empty_one_everything() -> None:
    assert not selector_of(None).matches({"a": "b"})
    assert not selector_of(None).is_empty
    assert selector_of(LabelSelector()).matches(None)
    assert selector_of(LabelSelector({}, ())).is_empty
    assert selector_from_map(None).matches({"a": "b"})


def test_an_object_s_selector_is_checked() -> None:
    with pytest.raises(SelectorError, match="'Gt' is not one of the operators"):
        selector_of(LabelSelector(None, (Expression("a", "Gt", ("1",)),)))
    with pytest.raises(SelectorError, match="needs at least one value"):
        selector_of(LabelSelector(None, (Expression("a", "In"),)))
    with pytest.raises(SelectorError, match="takes no values"):
        selector_of(LabelSelector(None, (Expression("a", "Exists", ("b",)),)))
    with pytest.raises(SelectorError, match="is not a label value"):
        selector_of(LabelSelector({"a": "-"}))


def test_node_terms_with_fields_and_faults() -> None:
    by_name = Term(None, (Expression("metadata.name", "In", ("n1",)),))
    assert node_selector_matches([by_name], None, "n1")
    assert not node_selector_matches([by_name], None, "n2")
    assert node_selector_matches([Term(None, (Expression("metadata.name", "NotIn", ("n1",)),))], None, "n2")
    assert node_selector_matches([by_name], None, "")  # of a nameless node, upstream looks at labels only
    assert not node_selector_matches([Term()], {"a": "b"}, "n1")
    assert not node_selector_matches(None, {"a": "b"}, "n1")
    faulty = Term((Expression("a", "Gt", ("x",)),), (Expression("metadata.name", "In", ("n1", "n2")),))
    assert len(CompiledNodeSelector([faulty]).errors) == 2
    assert not node_selector_matches([faulty], {"a": "1"}, "n1")
    assert node_selector_matches([faulty, by_name], {"a": "1"}, "n1")


names = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?", fullmatch=True)
keys = st.one_of(names, names.map(lambda name: f"example.com/{name}"))
values = st.one_of(st.just(""), names)
labels_of = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["", "1", "2", "x"]))
requirements = st.one_of(
    st.builds(
        Requirement, keys, st.sampled_from(["in", "notin"]), st.sets(values, min_size=1).map(lambda v: tuple(sorted(v)))
    ),
    st.builds(Requirement, keys, st.sampled_from(["=", "==", "!="]), values.map(lambda v: (v,))),
    st.builds(Requirement, keys, st.sampled_from(["gt", "lt"]), st.integers(0, 2**63 - 1).map(lambda v: (str(v),))),
    st.builds(Requirement, keys, st.sampled_from(["exists", "!"]), st.just(())),
)
simple = st.builds(
    Requirement,
    st.sampled_from("abc"),
    st.sampled_from(["in", "notin"]),
    st.sets(st.sampled_from(["", "1", "x"]), min_size=1).map(tuple),
)


@given(st.lists(requirements, max_size=5))
def test_a_selector_s_text_is_read_back_as_the_selector(wanted: list[Requirement]) -> None:
    selector = Selector(wanted)
    again = parse_label_selector(selector.text)
    assert again == selector
    assert hash(again) == hash(selector)


@given(st.lists(requirements, max_size=5), labels_of)
def test_a_selector_is_the_conjunction_of_its_requirements(wanted: list[Requirement], labels: dict[str, str]) -> None:
    assert Selector(wanted).matches(labels) == all(each.matches(labels) for each in wanted)


@given(simple, labels_of)
def test_in_and_notin_are_opposites(requirement: Requirement, labels: dict[str, str]) -> None:
    opposite = Requirement(requirement.key, "notin" if requirement.operator == "in" else "in", requirement.values)
    assert Selector([requirement]).matches(labels) != Selector([opposite]).matches(labels)


@given(st.text(alphabet="ab=!<>(), in\t\0notx/.-1é", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        selector = parse_label_selector(text)
    except SelectorError:
        return
    assert parse_label_selector(selector.text) == selector


@given(st.dictionaries(st.text(alphabet="ab.", min_size=1), st.text()))
def test_field_values_are_escaped_and_read_back(fields: dict[str, str]) -> None:
    escaped = {
        key: value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=") for key, value in fields.items()
    }
    selector = parse_field_selector(",".join(f"{key}={value}" for key, value in escaped.items()))
    assert {each.field: each.value for each in selector.terms} == fields
    assert selector.matches(fields)
    assert parse_field_selector(selector.text) == selector
