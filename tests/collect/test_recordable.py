"""Parts of objects that are redacted once for all equal objects hold the same as objects that are redacted whole."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubedoctor.cluster.grammar import redaction
from kubedoctor.cluster.seen.decoding import mended_json
from kubedoctor.collect.recordable import Recordable, Recorder
from tests.collect import bundle_forms as forms
from tests.collect.test_redaction import SECRETS, planted

VOLUME = "kube-api-access-h6kdn"


def from_template(name: str, node: str, volume: str = VOLUME, **spec: Any) -> dict[str, Any]:
    pod = forms.pod(name, nodeName=node, hostname=name, **spec)
    pod["metadata"] |= {"managedFields": [{"manager": "kubelet"}], "labels": {"app": "web", "purpose": "x" * 60}}
    pod["spec"]["volumes"] = [{"name": volume, "projected": {"sources": []}}]
    pod["spec"]["containers"][0] |= {
        "volumeMounts": [{"name": volume, "mountPath": "/run"}],
        "args": ["--node", node, "--password", f"of-{volume}", f"token: {volume}"],
        "env": [{"name": volume, "value": "shown"}, {"name": "DB_PASSWORD", "value": "hunter2"}],
    }
    pod["status"]["conditions"] = [
        {"type": "Ready", "status": "True", "lastProbeTime": None, "message": "pass=hunter2"}
    ]
    return pod


def whole(kind: str, data: dict[str, Any]) -> Recordable:
    return Recorder().of_data(kind, mended_json(json.dumps(data).encode()))


PODS = {
    "of a template": from_template("web-1", "node-1"),
    "the next": from_template("web-2", "node-2", "kube-api-access-7pm8f"),
    "without a letter or a digit in the volume": from_template("web-3", "node-3", "kube-api-access-hhkdn"),
    "a volume whose name ends as that of a password": from_template("web-4", "node-4", "kube-api-access-zxpwd"),
    "a volume of another make": from_template("web-5", "node-5", "kube-api-access-12345"),
    "a node whose name is a token": from_template("web-6", "sk-" + "a" * 40),
    "a node whose name is none": from_template("web-7", 'a"b\\c'),
    "a place that is taken": from_template("\x7f0\x7f", "\x7f1\x7f"),
    "without a node": from_template("web-8", ""),
    "nulls": from_template("web-9", "node-9", affinity=None, tolerations=[None, {"key": None, "operator": "Exists"}]),
    "nested deeply": from_template("web-10", "node-10", other=json.loads("[" * 120 + "]" * 120)),
    "a value that cannot be read": from_template("web-11", "node-11", other="\ue000number out of range"),
    "a node in another place": from_template("web-12", "", other={"nodeName": "node-3"}),
}


@pytest.mark.parametrize(
    "layout", [{"separators": (",", ":")}, {}, {"indent": 4}], ids=["compact", "spaced", "indented"]
)
def test_the_same_is_written_for_each_pod_of_a_template(layout: dict[str, Any]) -> None:
    recorder = Recorder()
    for case, pod in [*PODS.items(), *PODS.items()]:
        assert recorder.of_json("Pod", json.dumps(pod, **layout).encode()) == whole("Pod", pod), case


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("Pod", {"metadata": {"name": "bare"}}),
        ("Pod", {"kind": "Pod", "apiVersion": None, "metadata": {"name": "n", "annotations": {"password": "hunter2"}}}),
        ("Pod", {"metadata": None}),
        ("Pod", {"spec": {"nodeName": "n"}}),
        ("Pod", {"metadata": {"name": 7}, "spec": None}),
        (
            "Pod",
            {"kind": "Secret", "metadata": {"name": "s", "annotations": {"x": "y" * 300}}, "data": {"a": "aHVudGVy"}},
        ),
        ("Secret", {"metadata": {"name": "s", "annotations": {"x": "y" * 300}}, "stringData": {"a": "hunter2"}}),
        ("ConfigMap", {"metadata": {"name": "c"}, "data": {"application.properties": "password=hunter2"}}),
        ("Shop.example.com", {"metadata": {"name": "c"}, "spec": {"password": "hunter2", "replicas": 1.0}}),
    ],
)
def test_objects_of_any_shape(kind: str, data: dict[str, Any]) -> None:
    assert Recorder().of_json(kind, json.dumps(data).encode()) == whole(kind, data)


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"7", b'{"metadata":'])
def test_what_is_no_object_is_left_out(body: bytes) -> None:
    assert Recorder().of_json("Pod", body) is None


@settings(max_examples=20)
@given(SECRETS)
def test_no_part_holds_a_secret(secret: str) -> None:
    recorder = Recorder()
    for data in planted(secret):
        for again in (data, copy.deepcopy(data)):
            recorded = recorder.of_json(data["kind"], json.dumps(again).encode())
            assert recorded == whole(data["kind"], data)
            assert secret.encode() not in recorded.body


FRAGMENTS = st.sampled_from(
    ["sk-", "xoxb-", "xapp-1-", "hvs.", "ya29.", "glpat-", "authorization:", "https://", "hooks.slack.com/services/",
     "/api/webhooks/", "office.com/webhook/", "api.telegram.org/bot", "/hooks/catch/", "pagerduty.com/integration/",
     "/bot/v2/hook/", "/webhookb2/", "2026-01-15T10:00:00Z", "user:", "a1b2c3d4e5f6a7b8c9d0"],
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(FRAGMENTS | st.text("abcxyz0189.:/-", max_size=40), max_size=6).map("".join))
def test_no_rule_finds_a_secret_in_a_plain_text(text: str) -> None:
    if redaction.is_plain(text):
        assert redaction._redacted(text) == text


def test_writers_are_kept_where_diagnoses_tell_them() -> None:
    """Names of fields, no values; neither those of a status nor those of pods."""
    entries = [
        {"manager": "helm", "operation": "Update", "fieldsV1": {"f:spec": {}}, "time": "2026-01-15T09:00:00Z"},
        {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status"},
    ]
    for kind, kept in (("Deployment", entries[:1]), ("Pod", None)):
        data = {"kind": kind, "metadata": {"name": "web", "managedFields": entries}, "spec": {"replicas": 1}}
        for found in (Recorder().of_json(kind, json.dumps(data).encode()), Recorder().of_data(kind, data)):
            assert found is not None
            assert json.loads(found.body)["metadata"].get("managedFields") == kept
