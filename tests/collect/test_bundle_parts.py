"""A large list is read in parts: the result is that of reading it whole, whatever its text looks like."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.seen.wants import Want
from kubedoctor.collect.bundles import BundleSource, folders, loading, open_bundle, parts
from kubedoctor.collect.recordable import Recordable
from kubedoctor.problems import BundleProblem
from tests.collect import bundle_forms as forms

PODS = [forms.pod(f"web-{number}") for number in range(60)]
TEMPLATES = [{"metadata": {"name": name}} for name in ("data", "logs")]
OWNERS = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name} for name in ("web", "old")]
NESTED = [
    {
        **pod,
        "metadata": {**pod["metadata"], "ownerReferences": OWNERS, "annotations": {"a": '},{"metadata":{"items":['}},
    }
    for pod in PODS
]
CLAIMING = [
    {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": f"db-{number}", "namespace": "shop"},
        "spec": {"volumeClaimTemplates": TEMPLATES},
    }
    for number in range(60)
]
SQUEEZED = (",", ":")


def typed(objects: list[dict[str, Any]], kind: str, version: str = "v1", **metadata: str) -> dict[str, Any]:
    return {
        "kind": f"{kind}List",
        "apiVersion": version,
        "metadata": {"resourceVersion": "7", **metadata},
        "items": forms.bare(objects, kind),
    }


def captured(objects: list[dict[str, Any]], kind: str) -> str:
    lines = ",\n".join(json.dumps(obj, separators=SQUEEZED, sort_keys=True) for obj in objects)
    return f'{{"apiVersion":"v1","items":[\n{lines}\n],"kind":"{kind}List"}}\n'


MIXED = {"apiVersion": "v1", "items": [*NESTED, *CLAIMING], "kind": "List", "metadata": {"resourceVersion": ""}}
FORMS = {
    "the API server's": json.dumps(typed(NESTED, "Pod"), separators=SQUEEZED),
    "nested items": json.dumps(typed(CLAIMING, "StatefulSet", "apps/v1"), separators=SQUEEZED),
    "a page": json.dumps(typed(PODS, "Pod", **{"continue": "abc"}), separators=SQUEEZED),
    "kubectl's": json.dumps(MIXED, indent=4),
    "squeezed": json.dumps(MIXED, separators=SQUEEZED, sort_keys=True),
    "a capture's": captured(NESTED, "Pod"),
    "kind at the end": json.dumps(dict(reversed(typed(PODS, "Pod").items()))),
    "a custom kind": json.dumps({**typed(PODS, "Pod"), "kind": "ShopList", "apiVersion": "example.com/v1"}),
    "a page, said at the end": captured(PODS, "Pod").rstrip().removesuffix("}") + ',"metadata":{"continue":"abc"}}',
    "two documents": json.dumps(typed(PODS, "Pod")) + json.dumps(typed(CLAIMING, "StatefulSet", "apps/v1")),
    "cut off": json.dumps(typed(PODS, "Pod"), separators=SQUEEZED)[:-900],
    "cut off, kubectl's": json.dumps(MIXED, indent=4)[:-900],
    "broken in the middle": json.dumps(MIXED, indent=4).replace('"web-31"', "web-31", 1),
    "a number out of range": json.dumps(typed(PODS, "Pod")).replace('"restartCount": 3', '"restartCount": 1e999', 40),
    "an item without a kind": json.dumps({"items": [*PODS, {"metadata": {"name": "x"}}, *PODS]}),
    "an item that is text": json.dumps({"items": [*PODS, "text", *PODS]}),
    "no list": json.dumps({"items": {"a": PODS}}),
}


def seen(source: BundleSource) -> dict[str, Any]:
    snapshot = source.snapshot
    kinds = ("Pod", "StatefulSet", "Shop.example.com")
    return {
        "objects": {kind: snapshot.of_kind(kind) for kind in kinds},
        "covered": [snapshot.covers(Want(kind)) for kind in kinds],
        "limited": [snapshot.limitation(Want(kind)) for kind in kinds],
        "problems": snapshot.problems,
        "taken at": snapshot.taken_at,
        "whole": sorted(
            ((kind, obj) for kind, obj in source.recordable(kinds) if isinstance(obj, Recordable)),
            key=lambda row: (row[0], msgspec.structs.astuple(row[1])),
        ),
    }


def read(path: Path) -> dict[str, Any] | str:
    try:
        return seen(open_bundle((str(path),)))
    except BundleProblem as problem:
        return problem.what


def in_parts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Cut every list; returns the number of items in each part, as they are read."""
    counts: list[int] = []
    whole_cut = parts._cut

    def cut(buffer: bytes, lead: bytes, decode: parts.Decode | None) -> Any:
        end, items = whole_cut(buffer, lead, decode)
        counts.append(len(items))
        return end, items

    for module in (parts, folders):
        monkeypatch.setattr(module, "SMALLEST", 2000)
    monkeypatch.setattr(parts, "_PART", 2000)
    monkeypatch.setattr(parts, "_cut", cut)
    return counts


@pytest.mark.parametrize("form", FORMS)
def test_parts_hold_what_the_whole_holds(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "objects.json"
    path.write_text(FORMS[form])
    whole = read(path)
    in_parts(monkeypatch)
    assert read(path) == whole


def test_a_recording_is_read_at_its_first_list_and_shown_part_by_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-pods.json").write_text(FORMS["the API server's"])
    (tmp_path / "nodes.json").write_text(json.dumps(typed(forms.NODES[:1], "Node")))
    in_parts(monkeypatch)
    source = BundleSource((str(tmp_path),))
    assert source.snapshot.count() == 0
    kinds: list[tuple[str, ...]] = []
    counts: list[int] = []

    def note() -> None:
        kinds.append(source.snapshot.kinds())
        counts.append(source.snapshot.count())

    source.list_all(("Pod",), on_part=note)
    assert kinds[0] == ("Node",)  # the large file comes last
    assert 2 < len(counts) <= 62
    assert counts == sorted(counts)
    source.list_all(("Pod",), on_part=lambda: pytest.fail("it is read once"))
    assert seen(source) == read(tmp_path)


PACKED = ("the API server's", "kubectl's", "a capture's", "cut off", "broken in the middle", "a number out of range")


@pytest.mark.parametrize("form", PACKED)
@pytest.mark.parametrize("packing", ["gzip", "archive"])
def test_a_packed_list_holds_the_same(form: str, packing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"objects.json.{packing}"
    if packing == "gzip":
        path.write_bytes(gzip.compress(FORMS[form].encode()))
    else:
        path.write_bytes(forms.packed({"objects.json": FORMS[form], "zzz.json": forms.got(forms.OBJECTS)}))
    whole = read(path)
    counts = in_parts(monkeypatch)
    assert read(path) == whole
    assert len(counts) > 3


@pytest.mark.parametrize("form", ["the API server's", "nested items", "a number out of range", "kubectl's"])
def test_items_are_decoded_with_their_list_where_it_names_their_kind(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_parts(monkeypatch)
    content = io.BytesIO(FORMS[form].encode())
    types = [
        {type(item).__name__ for item in part.items}
        for part in parts.parts_of(content.read, decoder_of=loading._decoder_of)
        if isinstance(part, parts.ListPart)
    ]
    expected = {
        "the API server's": [{"Pod"}],
        "nested items": [{"StatefulSet"}],
        "a number out of range": [{"dict", "Raw"}, {"dict"}, {"Raw"}, {"Pod"}],  # only the parts that have none
        "kubectl's": [{"Raw"}],
    }
    assert {frozenset(names) for names in types} <= {frozenset(names) for names in expected[form]}
    assert len(types) > 4


@pytest.mark.parametrize("form", ["the API server's", "nested items", "kubectl's", "squeezed", "a capture's"])
def test_usual_lists_are_cut(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "objects.json"
    path.write_text(FORMS[form])
    counts = in_parts(monkeypatch)
    read(path)
    assert len(counts) > 5
    assert all(0 < count < 20 for count in counts)
