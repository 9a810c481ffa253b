"""What `capture` writes: readable again, the same each time, for the owner's eyes, and never over something else."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import ResourceKind
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.snapshot import Source as Origin
from kubedoctor.cluster.seen.wants import READYZ, CannotSee, LogTail, LogWant, Want, volumes_want
from kubedoctor.collect.bundles import BundleSource, open_bundle, write_bundle
from kubedoctor.collect.recordable import Recordable, Recorder
from kubedoctor.problems import BundleProblem, UsageProblem
from tests.collect import bundle_forms as forms

KINDS = ("Pod", "Node", "Namespace", "Service", "ConfigMap", "Secret", "Event")


class ClusterOfLists:
    """A live source as far as writing needs one: lists, some of them refused, and logs."""

    namespace = "shop"
    context = "kind-shop"

    def __init__(self, objects: list[dict[str, Any]], refused: dict[Want, str]) -> None:
        self.snapshot = Snapshot(datetime(2026, 1, 15, 10, tzinfo=UTC), Origin("live", "kind-shop", "v1.37.2"))
        self.gathered: set[Want | LogWant] = set()
        self._objects, self._refused = objects, refused

    def gather(self, wants: frozenset[Want | LogWant]) -> None:
        self.gathered |= wants
        for want in wants:
            assert isinstance(want, LogWant)
            if want.previous:
                self.snapshot.refuse(want, "the node is not reachable")
            else:
                lines = ("starting", "password=hunter2")
                self.snapshot.add_log(want, LogTail(Ref("Pod", want.namespace, want.pod), want.container, False, lines))

    def list_all(
        self, kinds: Iterable[str], namespace: str | None = None, on_part: Callable[[], None] | None = None
    ) -> None:
        raise AssertionError("writing reads whole objects")

    def list_extensions(
        self, first: Iterable[str] = (), namespace: str | None = None, current: Collection[str] = ()
    ) -> None:
        """No extension is installed."""

    def extension_kinds(self) -> tuple[ResourceKind, ...]:
        return ()

    def raw(self, ref: Ref) -> dict[str, Any] | None:
        return None

    def recordable(self, kinds: Iterable[str], namespace: str = "") -> Iterator[tuple[str, Recordable | CannotSee]]:
        for kind in kinds:
            if why := self._refused.get(Want(kind, namespace)):
                yield kind, CannotSee(kind, why)
                continue
            for one in self._objects:
                if one["kind"] == kind and namespace in ("", one["metadata"].get("namespace")):
                    yield kind, Recorder().of_data(kind, one)

    def refs(self, kind: str, namespace: str = "") -> tuple[Ref, ...]:
        return ()

    def names(self, kind: str, namespace: str = "") -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        """Nothing is open."""


def recorded(folder: Path) -> BundleSource:
    (folder / "state.json").write_text(forms.recording(logs={"shop/web-1/app": {"current": "starting\nboom\n"}}))
    return open_bundle((str(folder / "state.json"),))


@pytest.mark.parametrize("name", ["out", "out.tar.gz", "out.tgz"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    told = write_bundle(recorded(tmp_path), KINDS, tmp_path / "new" / name).told
    assert told.startswith(f"wrote 6 objects of 7 kinds and 1 log to {tmp_path / 'new' / name}")
    assert "without secret values" in told
    snapshot = open_bundle((str(tmp_path / "new" / name),)).snapshot
    assert snapshot.taken_at == datetime(2026, 1, 15, 10, tzinfo=UTC)
    assert snapshot.source.kubernetes == "v1.37.2"
    assert snapshot.count() == 6
    assert snapshot.covers(Want("ConfigMap", "shop", "settings"))
    assert snapshot.refusal(Want("Lease")) == "not in this recording"
    tail = snapshot.log(LogWant("shop", "web-1", "app"))
    assert tail is not None
    assert tail.lines == ("starting", "boom")
    assert snapshot.problems == []


def test_fields_that_no_struct_has_are_kept(tmp_path: Path) -> None:
    extra = forms.pod("web-3", someFieldOfTheFuture={"answer": 42})
    (tmp_path / "pods.json").write_text(forms.got([extra]))
    write_bundle(open_bundle((str(tmp_path / "pods.json"),)), ["Pod"], tmp_path / "out")
    raw = open_bundle((str(tmp_path / "out"),)).raw(Ref("Pod", "shop", "web-3"))
    assert raw is not None
    assert raw["spec"]["someFieldOfTheFuture"] == {"answer": 42}


def test_the_same_state_gives_the_same_bytes(tmp_path: Path) -> None:
    source = recorded(tmp_path)
    shuffled = json.loads((tmp_path / "state.json").read_text())
    shuffled["objects"].reverse()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "state.json").write_text(json.dumps(shuffled))
    other = open_bundle((str(tmp_path / "other" / "state.json"),))
    write_bundle(source, KINDS, tmp_path / "a.tar.gz")
    write_bundle(other, reversed(KINDS), tmp_path / "b.tar.gz")
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "a.tar.gz") as archive:
        members = archive.getmembers()
    assert members[0].name == "kubedoctor.json"
    assert {(one.uid, one.gid, one.uname, one.gname, one.mode) for one in members} == {(0, 0, "", "", 0o600)}
    assert {one.mtime for one in members} == {int(source.snapshot.taken_at.timestamp())}


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    write_bundle(recorded(tmp_path), KINDS, tmp_path / "out")
    write_bundle(recorded(tmp_path), KINDS, tmp_path / "out.tar.gz")
    assert (tmp_path / "out.tar.gz").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / "out").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    source = recorded(tmp_path)
    file = tmp_path / "taken.tar.gz"
    file.write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    (tmp_path / "empty").mkdir()
    for path in (file, tmp_path / "full", tmp_path / "full" / "mine"):
        with pytest.raises(UsageProblem) as caught:
            write_bundle(source, KINDS, path)
        assert caught.value.hint.endswith("nothing is overwritten")
    assert file.read_text() == "mine"
    write_bundle(source, KINDS, tmp_path / "empty")
    assert (tmp_path / "empty" / "kubedoctor.json").exists()
    assert not list(tmp_path.glob(".kubedoctor-*")), "nothing is left behind"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BundleProblem, match="cannot be written"):
        write_bundle(recorded(tmp_path), KINDS, tmp_path / "file" / "out.tar.gz")


def test_refusals_are_recorded_with_their_reason(tmp_path: Path) -> None:
    refused = {
        Want("Secret"): "list secrets is forbidden",
        Want("Secret", "shop"): "list secrets is forbidden",
        Want("Pod"): "list pods is forbidden",
        Want("Node"): "list nodes is forbidden",
    }
    told = write_bundle(ClusterOfLists(forms.OBJECTS, refused), KINDS, tmp_path / "out").told
    assert told.endswith("not recorded: Node (list nodes is forbidden), Secret (list secrets is forbidden)")
    snapshot = open_bundle((str(tmp_path / "out"),)).snapshot
    assert snapshot.refusal(Want("Secret", "shop", "db")) == "list secrets is forbidden"
    assert snapshot.refusal(Want("Node")) == "list nodes is forbidden"
    # All pods were forbidden, those of the context's namespace were not.
    assert snapshot.covers(Want("Pod", "shop"))
    assert not snapshot.covers(Want("Pod"))
    assert snapshot.limitation(Want("Pod")) == "only namespace shop: list pods is forbidden"


def test_logs_of_containers_in_trouble_are_read(tmp_path: Path) -> None:
    well = forms.pod("well")
    well["status"]["containerStatuses"] = [{"name": "app", "ready": True, "state": {"running": {}}}]
    well["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    source = ClusterOfLists([forms.pod("web-1"), well], {})
    write_bundle(source, ["Pod"], tmp_path / "out")
    now, before = LogWant("shop", "web-1", "app"), LogWant("shop", "web-1", "app", previous=True)
    assert source.gathered == {now, before, READYZ}
    snapshot = open_bundle((str(tmp_path / "out"),)).snapshot
    tail = snapshot.log(now)
    assert tail is not None
    assert tail.lines == ("starting", "password=<redacted>")
    assert snapshot.refusal(before) == "the node is not reachable"


def test_the_volumes_of_nodes_that_were_read_are_recorded(tmp_path: Path) -> None:
    source, want = recorded(tmp_path), volumes_want("n1")
    line = "shop/data capacityBytes=8 availableBytes=1"
    source.snapshot.add_log(want, LogTail(want.about, want.container, False, (line,)))
    write_bundle(source, KINDS, tmp_path / "out")
    tail = open_bundle((str(tmp_path / "out"),)).snapshot.log(want)
    assert tail is not None
    assert (tail.pod, tail.lines) == (want.about, (line,))


def test_what_was_cut_off_is_not_taken_for_absent(tmp_path: Path) -> None:
    write_bundle(recorded(tmp_path), KINDS, tmp_path / "out")
    (tmp_path / "out" / "objects" / "ConfigMap.json").unlink()
    service = tmp_path / "out" / "objects" / "Service.json"
    service.write_bytes(service.read_bytes()[:-40])
    snapshot = open_bundle((str(tmp_path / "out"),)).snapshot
    assert snapshot.refusal(Want("ConfigMap", "shop", "settings")) == "the list is missing in the bundle"
    assert snapshot.refusal(Want("Service", "shop")) == "the list is missing in the bundle"
    assert any("objects/Service.json cannot be read" in problem for problem in snapshot.problems)
    assert snapshot.covers(Want("Secret"))


def test_one_namespace(tmp_path: Path) -> None:
    objects = [*forms.OBJECTS, forms.pod("other", namespace="idle")]
    write_bundle(ClusterOfLists(objects, {}), KINDS, tmp_path / "out", "idle")
    source = open_bundle((str(tmp_path / "out"),))
    assert source.namespace == "idle"
    assert source.names("Pod") == ("other",)
    assert source.snapshot.covers(Want("Node"))
    assert source.snapshot.limitation(Want("Pod")) == "only namespace idle was recorded"
    assert source.snapshot.refusal(Want("Pod", "shop")) == "not in this recording"
