"""Descriptions, YAML, users and logs as pages."""

from __future__ import annotations

from kubedoctor.cluster import Pod, Ref, Secret, Snapshot
from kubedoctor.cluster.relations.family import Family
from kubedoctor.engine import Incident
from kubedoctor.findings import Severity
from kubedoctor.tui.pages.describing import describe, used_by
from kubedoctor.tui.pages.incidents import ObjectVerdict, verdict_on
from kubedoctor.tui.texts.as_yaml import yaml_page
from tests.tui.pages.test_incidents import finding, report
from tests.tui.recordings import opened, recorded
from tests.tui.test_rows import cluster, meta


def checkout(snapshot: Snapshot) -> Pod:
    return next(
        obj for obj in snapshot.of_kind("Pod", "shop") if isinstance(obj, Pod) and obj.name.startswith("checkout-")
    )


def test_a_pod_is_described_by_its_paths() -> None:
    snapshot = recorded("oom-killed")
    pod = checkout(snapshot)
    text = describe(pod, snapshot, ObjectVerdict(Ref("Pod", "shop", pod.name))).plain
    for words in (
        "controlled by  Deployment shop/checkout",
        "resources.limits.memory  128Mi",
        "status.containerStatuses[name=checkout].lastState.terminated.reason  OOMKilled",
        "Ready = False  ContainersNotReady",
        "BackOff",
    ):
        assert words in text
    assert "kube-api-access-" not in text


def test_a_secret_shows_its_keys_and_no_value() -> None:
    snapshot = cluster(("Secret", {"metadata": meta("db"), "type": "Opaque", "data": {"password": "aHVudGVyMg=="}}))
    secret = snapshot.get(Ref("Secret", "shop", "db"))
    assert isinstance(secret, Secret)
    for text in (
        describe(secret, snapshot, ObjectVerdict(Ref("Secret", "shop", "db"))).plain,
        yaml_page(None, secret, Ref("Secret", "shop", "db")).plain,
    ):
        assert "aHVudGVyMg" not in text
    assert "password:" in yaml_page(None, secret, Ref("Secret", "shop", "db")).plain


def described(snapshot: Snapshot, name: Ref) -> str:
    obj = snapshot.get(name)
    assert obj is not None
    return describe(obj, snapshot, ObjectVerdict(name)).plain


def test_what_an_object_holds_beside_spec_and_status_is_shown() -> None:
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}
    snapshot = cluster(
        ("Role", {"metadata": meta("reader"), "rules": [rule]}),
        ("ConfigMap", {"metadata": meta("settings"), "data": {"log.level": "debug", "long": "x" * 2000}}),
        ("Secret", {"metadata": meta("db"), "type": "Opaque", "data": {"password": "aHVudGVyMg=="}}),
    )
    role = described(snapshot, Ref("Role", "shop", "reader"))
    assert "rules[0].verbs  get, list" in role
    assert "rules[0].resources  configmaps" in role
    settings = described(snapshot, Ref("ConfigMap", "shop", "settings"))
    assert "data.log.level  debug" in settings
    assert "… (y shows all)" in settings
    assert "data.password  (not shown)" in described(snapshot, Ref("Secret", "shop", "db"))


def test_a_service_account_shows_what_binds_it() -> None:
    subject = {"kind": "ServiceAccount", "name": "api", "namespace": "shop"}
    role = {"kind": "Role", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
    snapshot = cluster(
        ("ServiceAccount", {"metadata": meta("api")}),
        ("RoleBinding", {"metadata": meta("api-reads"), "roleRef": role, "subjects": [subject]}),
        ("RoleBinding", {"metadata": meta("others"), "roleRef": role, "subjects": [{**subject, "name": "web"}]}),
    )
    text = described(snapshot, Ref("ServiceAccount", "shop", "api"))
    assert "RoleBinding shop/api-reads  Role reader" in text
    assert "shop/others" not in text


def test_yaml_is_whole_and_without_managed_fields() -> None:
    source = opened("oom-killed")
    ref = Ref("Deployment", "shop", "checkout")
    text = yaml_page(source.raw(ref), source.snapshot.get(ref), ref).plain
    assert "apiVersion: apps/v1" in text
    assert "managedFields" not in text
    assert "    spec:" in text
    assert yaml_page(None, None, ref).plain == "Deployment shop/checkout cannot be read."


def test_texts_of_several_lines_are_blocks() -> None:
    text = yaml_page({"data": {"a": "one\ntwo\n"}}, None, Ref("ConfigMap", "shop", "a")).plain
    assert text.splitlines() == ["data:", "  a: |", "    one", "    two"]


def test_who_uses_a_config_map_a_claim_and_a_service_account() -> None:
    snapshot = cluster(
        ("ConfigMap", {"metadata": meta("settings")}),
        ("PersistentVolumeClaim", {"metadata": meta("disk")}),
        ("ServiceAccount", {"metadata": meta("robot")}),
        (
            "Pod",
            {
                "metadata": meta("web"),
                "spec": {
                    "serviceAccountName": "robot",
                    "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "disk"}}],
                    "containers": [{"name": "app", "envFrom": [{"configMapRef": {"name": "settings"}}]}],
                },
            },
        ),
        (
            "HorizontalPodAutoscaler",
            {"metadata": meta("web"), "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}},
        ),
        ("Deployment", {"metadata": meta("web")}),
    )

    def users(kind: str, name: str) -> str:
        obj = snapshot.get(Ref(kind, "shop", name))
        assert obj is not None
        return used_by(obj, snapshot).plain

    assert "Pod shop/web  container app reads environment variables from it" in users("ConfigMap", "settings")
    assert "Pod shop/web  mounts it as volume data" in users("PersistentVolumeClaim", "disk")
    assert "Pod shop/web  uses it as its account" in users("ServiceAccount", "robot")
    assert "HorizontalPodAutoscaler shop/web  scales it" in users("Deployment", "web")
    assert "No visible object uses it." in users("Pod", "web")


def test_a_cause_elsewhere_is_named_with_its_object_and_never_marked_as_good() -> None:
    snapshot = recorded("oom-killed")
    pod = checkout(snapshot)
    policy = Ref("Deployment", "ops", "policy")
    made = report(
        finding("f1", policy, severity=Severity.NOTICE),
        finding("f2", Ref("Pod", "shop", pod.name)),
        incidents=(Incident("f1", ("f2",)),),
    )
    lines = describe(pod, snapshot, verdict_on(Ref("Pod", "shop", pod.name), made, Family(snapshot))).plain.splitlines()
    assert lines[1] == "  ✗ Deployment ops/policy  f1 is wrong  KD9999"


def test_yaml_begins_with_what_the_object_is() -> None:
    data = {"status": {"phase": "Running"}, "apiVersion": "v1", "spec": {"nodeName": "n1"}, "kind": "Pod"}
    page = yaml_page({**data, "metadata": {"name": "a", "managedFields": []}}, None, Ref("Pod", "shop", "a"))
    keys = [line.partition(":")[0] for line in page.plain.splitlines() if not line.startswith(" ")]
    assert keys == ["apiVersion", "kind", "metadata", "spec", "status"]
    assert "managedFields" not in page.plain
