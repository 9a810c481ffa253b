"""Files that are broken, hostile, or something else: one clear sentence each, and every other result kept."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.collect.bundles import documents, open_bundle, write_bundle
from kubedoctor.problems import BundleProblem
from tests.collect import bundle_forms as forms

LIST = forms.got(forms.OBJECTS)


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def noise(size: int) -> str:
    """Text that does not shrink."""
    return random.Random(1).randbytes(size // 2).hex()


def cut(body: bytes, share: float) -> bytes:
    return body[: int(len(body) * share)]


# name of the case: (file name, content, what the sentence says)
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "empty file": ("empty.json", b"", "empty.json contains no Kubernetes objects: it is empty"),
    "a picture": ("x.png", b"\x89PNG\r\n\x1a\n\x00\x00", "x.png cannot be read"),
    "HTML of a proxy": ("list.json", b"<html><body>502 Bad Gateway</body></html>", "list.json contains no Kubernetes objects"),
    "JSON that is cut off": ("pods.json", cut(LIST.encode(), 0.5), "pods.json cannot be read: line 1"),
    "JSON that is broken": ("pods.json", b'{"kind": "List",\n "items": [}\n', "pods.json cannot be read: line 2"),
    "an array that is cut off": ("pods.json", cut(json.dumps(forms.OBJECTS).encode(), 0.5), "pods.json cannot be read: line 1"),
    "YAML that is broken": ("pods.yaml", b"kind: Pod\nmetadata: {name: web\n", "pods.yaml cannot be read: line 3"),
    "JSON of something else": ("package.json", b'{"name": "left-pad"}', "package.json contains no Kubernetes objects"),
    "JSON that is a number": ("n.json", b"42", "n.json contains no Kubernetes objects"),
    "nesting without end": ("deep.json", b"[" * 200_000, "deep.json cannot be read"),
    "a refusal of the API server": (
        "pods.json",
        json.dumps({"kind": "Status", "apiVersion": "v1", "message": "pods is forbidden: User x"}).encode(),
        "is an error of the API server, not a list of objects: pods is forbidden: User x",
    ),
    "a table": ("pods.json", b'{"kind": "Table", "apiVersion": "meta.k8s.io/v1", "rows": []}', "use kubectl get -o json"),
    "a kubeconfig": ("config", b"apiVersion: v1\nkind: Config\nclusters: []\n", "is a kubeconfig, not a record"),
    "a zip archive": ("bundle.zip", b"PK\x03\x04rest", "is a zip archive"),
    "an archive of other things": ("src.tar.gz", forms.packed({"README.md": "# Hello"}), "contains no Kubernetes objects"),
    "an archive that is cut off at once": ("b.tar.gz", cut(forms.packed({"a.json": LIST}), 0.3), "contains no Kubernetes objects"),
    "a member outside the archive": ("b.tar.gz", forms.packed({"../../etc/cron.d/x": LIST}), "is outside the archive"),
    "a member with an absolute name": ("b.tar.gz", forms.packed({"/etc/passwd": LIST}), "is outside the archive"),
    "a link out of the archive": (
        "b.tar.gz",
        forms.packed({"a.json": LIST}, member("b.json", tarfile.SYMTYPE, "../../etc/passwd")),
        "b.json links to ../../etc/passwd, outside the archive",
    ),
    "a hard link out of the archive": (
        "b.tar.gz",
        forms.packed({"a.json": LIST}, member("b.json", tarfile.LNKTYPE, "/etc/passwd")),
        "links to /etc/passwd, outside the archive",
    ),
    "a gzip bomb": ("bomb.json.gz", gzip.compress(b"[") + gzip.compress(b" " * (1 << 20)) * 70, "more than 200 times its size"),
    "references that multiply": (
        "laughs.yaml",
        ("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
        )).encode(),
        "YAML aliases expand",
    ),
    "a state of no time": ("state.json", b'{"captured_at": "yesterday", "objects": []}', "captured_at is missing or is not a timestamp"),
    "a state without objects": ("state.json", b'{"captured_at": "2026-01-15T10:00:00Z", "objects": 3}', "objects is not a list"),
    "a bundle of a newer kubedoctor": ("b.tar.gz", forms.packed({"kubedoctor.json": '{"format": 99}'}), "a newer kubedoctor"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_diagnosed_is_refused_in_a_sentence(tmp_path: Path, case: str) -> None:
    name, body, says = REFUSED[case]
    (tmp_path / name).write_bytes(body)
    with pytest.raises(BundleProblem) as caught:
        open_bundle((str(tmp_path / name),))
    assert says in caught.value.what
    assert "\n" not in caught.value.what
    assert caught.value.hint


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(BundleProblem, match="nowhere does not exist"):
        open_bundle((str(tmp_path / "nowhere"),))
    with pytest.raises(BundleProblem, match="contains no Kubernetes objects: it is empty"):
        open_bundle((str(tmp_path),))


def test_a_file_that_is_given_twice_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text(forms.recording())
    (tmp_path / "link.json").symlink_to(path)
    monkeypatch.chdir(tmp_path)
    once = open_bundle((str(path),)).snapshot.count()
    for paths in ((str(path), str(path)), ("a.json", str(path)), (str(path), "link.json")):
        source = open_bundle(paths)
        assert source.snapshot.count() == once
        assert source.snapshot.problems == []


def test_states_of_different_moments_are_not_mixed(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(forms.recording())
    with pytest.raises(BundleProblem, match="2 recorded states; a recorded state is read alone") as caught:
        open_bundle((str(tmp_path),))
    assert caught.value.hint == "Set one file with --from"


KEPT: dict[str, tuple[dict[str, str], tuple[tarfile.TarInfo, ...], Callable[[bytes], bytes], str]] = {
    "a broken file beside": ({"a.json": LIST, "b.json": "{"}, (), bytes, "b.json cannot be read: line 1"),
    "a broken YAML beside": ({"a.json": LIST, "b.yaml": "a: [\n\n"}, (), bytes, "b.yaml cannot be read: line"),
    "a link inside": ({"a.json": LIST}, (member("b.json", tarfile.SYMTYPE, "a.json"),), bytes, "not followed"),
    "a device": ({"a.json": LIST}, (member("sda", tarfile.BLKTYPE),), bytes, "a device or pipe in the archive"),
    "items without a kind": ({"a.json": LIST, "b.json": '{"items": [{}, 3]}'}, (), bytes, "2 items without a kind"),
    "an archive that is cut off": (
        {"a.json": LIST, "b.json": json.dumps([noise(1 << 20)])},
        (),
        lambda body: cut(body, 0.5),
        "everything before that was read",
    ),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_can_be_read_is_kept(tmp_path: Path, case: str) -> None:
    files, extra, change, says = KEPT[case]
    path = tmp_path / "b.tar.gz"
    path.write_bytes(change(forms.packed(files, *extra)))
    source = open_bundle((str(path),))
    assert source.names("Pod") == ("web-1", "web-2")
    (said,) = {text for text in source.snapshot.problems if says in text}
    assert "\n" not in said


def test_wrong_types_and_nulls_cost_only_themselves(tmp_path: Path) -> None:
    odd = forms.pod("odd")
    odd["spec"]["containers"] = None
    odd["status"]["containerStatuses"][0]["restartCount"] = "three"
    bundle = {"kind": "List", "apiVersion": "v1", "items": [None, *forms.OBJECTS, odd], "metadata": None}
    (tmp_path / "a.json").write_text(json.dumps(bundle))
    source = open_bundle((str(tmp_path / "a.json"),))
    assert source.names("Pod") == ("odd", "web-1", "web-2")
    assert any(
        "Pod shop/odd: status.containerStatuses[0].restartCount cannot be decoded" in p
        for p in source.snapshot.problems
    )
    assert any("1 item without a kind" in problem for problem in source.snapshot.problems)
    (lost,) = source.snapshot.losses("Pod")
    assert lost in source.snapshot.problems


def test_losses_are_known_also_beyond_those_that_are_told(tmp_path: Path) -> None:
    noise = [{"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": f"c{n}"}, "data": "x"} for n in range(60)]
    node = {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n"}, "spec": {"taints": "none"}}
    (tmp_path / "a.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": [*noise, node]}))
    snapshot = open_bundle((str(tmp_path / "a.json"),)).snapshot
    assert not any("Node n" in problem for problem in snapshot.problems)
    assert ["Node n: spec.taints" in lost for lost in snapshot.losses("Node")] == [True]


def test_keys_and_values_that_only_yaml_has(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: odd\n  namespace: shop\n  annotations: {1: x, yes: !!binary aGk=}\n"
        "  creationTimestamp: 2026-01-15T09:00:00Z\ndata: {8080: open, true: x, token: hunter2}\n7: x\n"
    )
    source = open_bundle((str(tmp_path / "a.yaml"),))
    raw = source.raw(Ref("ConfigMap", "shop", "odd"))
    assert raw is not None
    assert raw["data"] == {"8080": "open", "true": "x", "token": "<redacted>"}
    write_bundle(source, ["ConfigMap"], tmp_path / "out")
    assert open_bundle((str(tmp_path / "out"),)).names("ConfigMap") == ("odd",)


def test_a_link_out_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text(forms.got([forms.pod("stolen")]))
    folder = forms.put(tmp_path / "folder", {"a.json": LIST})
    (folder / "b.json").symlink_to(outside)
    source = open_bundle((str(folder),))
    assert source.names("Pod") == ("web-1", "web-2")
    assert source.snapshot.problems == ["b.json: a link to a path outside the folder; not read"]


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_MEMBERS", 3)
    (tmp_path / "b.tar.gz").write_bytes(forms.packed({f"{number}.json": LIST for number in range(4)}))
    with pytest.raises(BundleProblem, match="more than 3 members"):
        open_bundle((str(tmp_path / "b.tar.gz"),))


def test_too_much_in_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_BYTES", len(LIST) * 2)
    (tmp_path / "b.tar.gz").write_bytes(forms.packed({f"{number}.json": LIST for number in range(4)}))
    with pytest.raises(BundleProblem, match="the bundle holds more than"):
        open_bundle((str(tmp_path / "b.tar.gz"),))


def test_a_member_that_says_it_is_enormous(tmp_path: Path) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        huge = tarfile.TarInfo("pods.json")
        huge.size = 3 << 30
        made_header = huge.tobuf()
        assert archive.fileobj is not None
        archive.fileobj.write(made_header)
    (tmp_path / "b.tar.gz").write_bytes(made.getvalue())
    with pytest.raises(BundleProblem, match=r"pods.json is larger than 2 GiB"):
        open_bundle((str(tmp_path / "b.tar.gz"),))


def test_escape_sequences_in_logs_and_names_stay_data(tmp_path: Path) -> None:
    logs = {"shop/web-1/app": {"current": "\x1b[31mred\x1b[0m\x07\n"}}
    (tmp_path / "a.json").write_text(forms.recording(logs=logs))
    source = open_bundle((str(tmp_path / "a.json"),))
    (want,) = source.snapshot.logs()
    tail = source.snapshot.log(want)
    assert tail is not None
    assert tail.lines == ("\x1b[31mred\x1b[0m\x07",)
