"""Each form of a bundle: what is in it, and what it cannot show."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from kubedoctor.cluster.kinds.core import Secret
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import CannotSee, LogWant, Want
from kubedoctor.collect.bundles import BundleSource, open_bundle
from tests.collect import bundle_forms as forms

WEB = Want("Pod", "shop", "web-1")
WEB_LOG = LogWant("shop", "web-1", "app")


def opened(path: Path, text: str | bytes) -> BundleSource:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_bundle((str(path),))


def lines_of(snapshot: Snapshot, want: LogWant) -> tuple[str, ...]:
    tail = snapshot.log(want)
    assert tail is not None
    return tail.lines


def test_a_recorded_state_is_complete_and_of_its_moment(tmp_path: Path) -> None:
    logs = {"shop/web-1/app": {"current": "starting\nboom\n", "previous": None}}
    snapshot = opened(tmp_path / "state", forms.recording(logs=logs)).snapshot
    assert snapshot.complete
    assert snapshot.taken_at == datetime(2026, 1, 15, 10, tzinfo=UTC)
    assert snapshot.source.kubernetes == "v1.37.2"
    assert snapshot.covers(Want("ConfigMap"))
    assert lines_of(snapshot, WEB_LOG) == ("starting", "boom")


def test_a_scenario_is_a_bundle_too(tmp_path: Path) -> None:
    scenario = {
        "scenario": "A story",
        "taken_at": datetime(2026, 1, 15, 10, tzinfo=UTC),
        "cluster": forms.OBJECTS,
        "unreadable": {"ConfigMap": "configmaps is forbidden"},
    }
    snapshot = opened(tmp_path / "story.yaml", yaml.safe_dump(scenario)).snapshot
    assert snapshot.taken_at == datetime(2026, 1, 15, 10, tzinfo=UTC)
    assert snapshot.refusal(Want("ConfigMap")) == "configmaps is forbidden"
    assert [one.metadata.name for one in snapshot.of_kind("Pod")] == ["web-1", "web-2"]


@pytest.mark.parametrize("name", ["pods.json", "pods.yaml", "without-a-suffix"])
def test_a_list_of_kubectl_shows_only_what_it_holds(tmp_path: Path, name: str) -> None:
    text = forms.got(forms.OBJECTS)
    if name == "pods.yaml":
        text = yaml.safe_dump(json.loads(text))
    snapshot = opened(tmp_path / name, text).snapshot
    assert [one.metadata.name for one in snapshot.of_kind("Pod")] == ["web-1", "web-2"]
    assert not snapshot.covers(Want("Pod"))
    assert snapshot.limitation(Want("Pod")) == "only objects of the file"
    assert snapshot.limitation(Want("Pod", "shop", labels="app=web")) == "only objects of the file"
    # A kind or a namespace that does not occur was not looked at.
    assert not snapshot.limitation(Want("Pod", "idle"))
    assert snapshot.refusal(Want("ConfigMap", "shop", "settings")) == "not in this recording"
    # The newest thing that is known to have happened is the node's last sign of life.
    assert snapshot.taken_at == datetime(2026, 1, 15, 9, 59, 30, tzinfo=UTC)


@pytest.mark.parametrize("form", ["array", "List", "yaml"])
def test_lists_within_a_list_are_read(tmp_path: Path, form: str) -> None:
    """`jq --slurp` puts the lists of several commands into an array."""
    lists = [
        {"kind": "PodList", "apiVersion": "v1", "items": [{**forms.pod("web-1"), "kind": None, "apiVersion": None}]},
        {"kind": "List", "apiVersion": "v1", "items": [forms.pod("web-2"), forms.service("web")]},
    ]
    state = lists if form == "array" else {"kind": "List", "apiVersion": "v1", "items": lists}
    source = opened(tmp_path / "state", yaml.safe_dump(state) if form == "yaml" else json.dumps(state))
    assert source.names("Pod") == ("web-1", "web-2")
    assert source.names("Service", "shop") == ("web",)
    assert source.raw(Ref("Pod", "shop", "web-1")) is not None


def test_one_object_tells_nothing_of_others(tmp_path: Path) -> None:
    snapshot = opened(tmp_path / "pod.json", json.dumps(forms.pod("web-1"))).snapshot
    assert snapshot.get(Ref("Pod", "shop", "web-1")) is not None
    assert snapshot.refusal(Want("Pod", "shop", "web-2")) == "not in this recording"
    assert not snapshot.limitation(Want("Pod", "shop"))


def test_several_files_and_several_documents_are_one_state(tmp_path: Path) -> None:
    (tmp_path / "pods.yaml").write_text("---\n".join(yaml.safe_dump(forms.pod(name)) for name in ("web-1", "web-2")))
    (tmp_path / "services.json").write_text(forms.got([forms.service("web")]))
    source = open_bundle((str(tmp_path / "pods.yaml"), str(tmp_path / "services.json")))
    assert source.names("Pod") == ("web-1", "web-2")
    assert source.names("Service", "shop") == ("web",)
    assert source.context == "pods.yaml, services.json"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    piped = SimpleNamespace(buffer=io.BytesIO(forms.got(forms.OBJECTS).encode()), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", piped)
    source = open_bundle(("-",))
    assert source.names("Pod") == ("web-1", "web-2")
    assert source.raw(Ref("Pod", "shop", "web-1")) is not None, "the input is kept for a second reading"


@pytest.mark.parametrize("stream", [False, True], ids=["folder", "one stream"])
def test_a_dump_of_kubectl_cluster_info(tmp_path: Path, stream: bool) -> None:
    files = forms.dump_files()
    if stream:
        source = opened(tmp_path / "dump.txt", "\n".join(files.values()))
    else:
        source = open_bundle((str(forms.put(tmp_path / "dump", files)),))
    snapshot = source.snapshot
    assert source.names("Pod", "shop") == ("web-1", "web-2")
    assert snapshot.covers(Want("Node"))
    assert snapshot.covers(Want("Pod", "shop"))
    assert snapshot.covers(Want("Event", "shop")), "an empty list is an answer"
    assert not snapshot.covers(Want("Pod")), "other namespaces may exist"
    assert snapshot.limitation(Want("Pod")) == "only of the namespaces shop"
    assert lines_of(snapshot, WEB_LOG) == ("starting", "boom")
    assert snapshot.refusal(LogWant("shop", "web-2", "app")) == "the node is not reachable"
    assert snapshot.problems == []


@pytest.mark.parametrize("form", ["folder", "archive"])
def test_a_support_bundle_whose_items_have_no_kind(tmp_path: Path, form: str) -> None:
    files = forms.support_files()
    if form == "folder":
        source = open_bundle((str(forms.put(tmp_path / "bundle", files)),))
    else:
        source = opened(tmp_path / "bundle.tar.gz", forms.packed(files))
    snapshot = source.snapshot
    assert source.names("Pod", "shop") == ("web-1", "web-2")
    assert snapshot.source.kubernetes == "v1.37.2"
    assert snapshot.covers(Want("Pod")), "both namespaces were listed"
    assert not snapshot.covers(Want("Service")), "one namespace is missing"
    assert snapshot.refusal(Want("PersistentVolume")) == "persistentvolumes is forbidden"
    assert snapshot.refusal(Want("ConfigMap", "shop", "settings")) == "configmaps is forbidden"
    assert lines_of(snapshot, WEB_LOG) == ("starting", "boom")
    assert lines_of(snapshot, LogWant("shop", "web-1", "app", previous=True)) == ("before",)
    assert snapshot.problems == []


def test_unknown_kinds_are_custom_resources(tmp_path: Path) -> None:
    route = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"hosts": ["web"]},
    }
    (found,) = opened(tmp_path / "route.json", forms.got([route])).snapshot.of_kind(
        "VirtualService.networking.istio.io"
    )
    assert isinstance(found, CustomResource)
    assert found.spec == {"hosts": ["web"]}


def test_of_objects_that_occur_twice_the_last_counts(tmp_path: Path) -> None:
    second = forms.pod("web-1", nodeName="worker-a")
    snapshot = opened(tmp_path / "pods.json", forms.got([forms.pod("web-1"), second])).snapshot
    (found,) = snapshot.of_kind("Pod")
    assert isinstance(found, Pod)
    assert found.spec.node_name == "worker-a"


def test_times_ahead_do_not_move_the_clock(tmp_path: Path) -> None:
    leaving = forms.pod("web-1")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-15T11:30:00Z"
    snapshot = opened(tmp_path / "pods.json", forms.got([leaving])).snapshot
    assert snapshot.taken_at == datetime(2026, 1, 15, 9, 58, tzinfo=UTC)


def test_nothing_can_be_fetched(tmp_path: Path) -> None:
    source = opened(tmp_path / "pods.json", forms.got(forms.OBJECTS))
    wants: frozenset[Want | LogWant] = frozenset({WEB, Want("Lease"), WEB_LOG})
    before = source.snapshot.count()
    source.gather(wants)
    source.list_all(["Lease"])
    assert source.snapshot.count() == before
    assert source.snapshot.refusal(Want("Lease")) == "not in this recording"
    assert source.snapshot.refusal(WEB_LOG) == "not in this recording"
    assert source.snapshot.limitation(WEB) == "only objects of the file"
    [(kind, blind)] = source.recordable(["Lease"])
    assert kind == "Lease"
    assert isinstance(blind, CannotSee)
    assert blind.why == "not in this recording"


def test_the_whole_object_is_shown_without_secrets(tmp_path: Path) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "namespace": "shop", "managedFields": [{"manager": "kubectl"}]},
        "data": {"password": "aHVudGVyMg=="},
    }
    source = opened(tmp_path / "secret.json", forms.got([secret]))
    raw = source.raw(Ref("Secret", "shop", "db"))
    assert raw is not None
    assert raw["data"] == {"password": ""}
    assert "managedFields" not in raw["metadata"]
    kept = source.snapshot.get(Ref("Secret", "shop", "db"))
    assert isinstance(kept, Secret)
    assert kept.data == {"password": ""}
    assert source.raw(Ref("Secret", "shop", "other")) is None


def test_ten_thousand_events(tmp_path: Path) -> None:
    events = [
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"e{number}", "namespace": "shop"},
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1"},
            "eventTime": "2026-01-15T09:59:00.000000Z",
        }
        for number in range(10_000)
    ]
    snapshot = opened(tmp_path / "events.json", forms.got(events)).snapshot
    assert len(snapshot.index("Event", "involved")[("Pod", "shop", "web-1")]) == 10_000
