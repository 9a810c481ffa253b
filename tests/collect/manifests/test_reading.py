"""Files of manifests: values as the API server gets them, and the place of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubedoctor.cluster.manifests import FileDocument
from kubedoctor.collect.manifests import read_manifests
from kubedoctor.problems import BundleProblem


def read(tmp_path: Path, text: str, name: str = "a.yaml") -> tuple[FileDocument, ...]:
    file = tmp_path / name
    file.write_text(text)
    return read_manifests((str(file),)).documents


def test_each_document_knows_its_file_and_lines(tmp_path: Path) -> None:
    first, second = read(tmp_path, "# note\nkind: A\nspec:\n  b: [x, {c: 1}]\n---\n\nkind: B\n")
    assert (first.place.line, second.place.line) == (2, 7)
    assert first.nearest(("spec", "b", 1, "c")).line == 4
    assert first.nearest(("spec", "b", 1, "c")).column == 11
    assert first.place_of("spec.b[1].c").column == 11
    assert first.place_of("spec.missing.deep").line == 3


def test_brackets_select_by_name_and_by_key(tmp_path: Path) -> None:
    (one,) = read(
        tmp_path, "kind: P\nspec:\n  containers:\n  - name: a\n  - name: b\n    image: x\n  labels: {a.b/c: d}\n"
    )
    assert one.place_of("spec.containers[name=b].image").line == 6
    assert one.place_of("spec.labels[a.b/c]").line == 7


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", True),
        ("off", False),
        ("'yes'", "yes"),
        ("0644", 420),
        ("0o17", 15),
        ("1e3", 1000),
        ("1.5", 1.5),
        ("12:30:45", "12:30:45"),
        ("2026-01-02", "2026-01-02"),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_plain_words_are_what_go_makes_of_them(tmp_path: Path, written: str, value: object) -> None:
    (one,) = read(tmp_path, f"kind: A\nv: {written}\n")
    assert one.data["v"] == value


def test_keys_that_are_there_twice_are_named(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "kind: A\nspec:\n  a: 1\n  a: 2\n")
    assert [(path, place.line) for path, place in one.doubles] == [(("spec", "a"), 4)]


def test_a_broken_document_does_not_hide_the_others(tmp_path: Path) -> None:
    found = read(tmp_path, "kind: A\n---\na: [\n---\nkind: C\n")
    assert [one.data.get("kind") for one in found] == ["A", None, "C"]
    assert "did not find expected" in found[1].problem
    assert found[1].place.line >= 3


def test_lists_are_their_items(tmp_path: Path) -> None:
    found = read(tmp_path, '{"kind": "List", "items": [{"kind": "A"},\n {"kind": "B", "x": 1}]}', "a.json")
    assert [one.data["kind"] for one in found] == ["A", "B"]
    assert found[1].place.line == 2
    assert found[1].place_of("x").line == 2


def test_anchors_and_merge_keys_are_filled_in(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "base: &b {a: 1, b: 2}\nspec:\n  <<: *b\n  b: 3\n")
    assert one.data["spec"] == {"a": 1, "b": 3}


def test_a_bomb_of_aliases_is_no_manifest(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (one,) = read(tmp_path, "\n".join(lines))
    assert "too large" in one.problem


@pytest.mark.parametrize(("file", "what"), [("kustomization.yaml", "kustomization"), ("Chart.yaml", "Helm chart")])
def test_folders_of_parts_say_how_to_render_them(tmp_path: Path, file: str, what: str) -> None:
    (tmp_path / file).write_text("a: 1\n")
    found = read_manifests((str(tmp_path),))
    assert not found.documents
    assert [(one.what, one.line.endswith("| kubedoctor check -f -")) for one in found.passed] == [
        (f"{what} {tmp_path}", True)
    ]


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(BundleProblem, match="does not exist"):
        read_manifests((str(tmp_path / "no.yaml"),))
