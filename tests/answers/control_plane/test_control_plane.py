"""`control-plane`: components, leaders, and what their flags set up."""

from __future__ import annotations

from typing import Any

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.control_plane import control_plane
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, LogTail, Ref
from kubedoctor.cluster.seen.wants import READYZ
from tests.engine.clinic import complete

Manifest = dict[str, Any]
PROXY = {
    "kind": "ConfigMap",
    "metadata": {"name": "kube-proxy", "namespace": "kube-system"},
    "data": {"config.conf": "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nmode: ipvs\n"},
}


def component(name: str, *flags: str, ready: bool = True, node: str = "cp-1") -> Manifest:
    return {
        "kind": "Pod",
        "metadata": {"name": f"{name}-{node}", "namespace": "kube-system", "labels": {"component": name}},
        "spec": {
            "nodeName": node,
            "containers": [{"name": name, "image": f"registry.k8s.io/{name}:v1.37.2", "command": [name, *flags]}],
        },
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def lease(name: str, renewed: str) -> Manifest:
    spec = {"holderIdentity": "cp-1_6b6a", "renewTime": renewed}
    return {"kind": "Lease", "metadata": {"name": name, "namespace": "kube-system"}, "spec": spec}


def answered(*manifests: Manifest) -> Sheet:
    return control_plane.answer(Ref("Namespace", "", "shop"), Choices(), Cluster(complete(*manifests)))


def facts(sheet: Sheet) -> dict[str, str]:
    return {fact.label: fact.text for fact in sheet.facts}


def test_what_the_flags_set_up() -> None:
    flags = (
        *("--audit-log-path=/var/log/audit.log", "--audit-policy-file", "/etc/audit.yaml"),
        *("--encryption-provider-config=/etc/encryption.yaml", "--anonymous-auth=false", "--profiling=false"),
        *("--oidc-issuer-url", "https://id.example.com"),
    )
    sheet = answered(component("kube-apiserver", *flags), component("etcd"), component("kube-scheduler"), PROXY)
    assert (sheet.headline, sheet.conclusion) == ("Control plane: 3 pods, all ready", Conclusion.WELL)
    assert facts(sheet) == {
        "audit log": "to /var/log/audit.log",
        "encryption at rest": "by /etc/encryption.yaml",
        "sign-in": "OIDC, https://id.example.com",
        "anonymous requests": "refused",
        "admission plugins": "the default ones",
        "profiling": "kube-scheduler: on (/debug/pprof)",
        "etcd": "1 member: 0 failures can be tolerated",
        "kube-proxy": "mode ipvs",
    }
    (table,) = sheet.tables
    assert [cell.text for cell in table.rows[0].cells] == ["kube-apiserver", "cp-1", "", "v1.37.2"]


def test_what_is_set_up_without_flags() -> None:
    known = facts(answered(component("kube-apiserver")))
    assert known["audit log"] == "off: no policy and no log"
    assert known["encryption at rest"] == "off: Secrets lie in etcd as they are"
    assert known["sign-in"] == "certificates and service accounts, no OIDC"
    assert known["profiling"] == "on (/debug/pprof)"
    assert facts(answered(component("kube-apiserver", "--audit-log-path=-")))["audit log"] == "to -, without a policy"


def test_a_member_that_is_not_ready() -> None:
    members = [component("etcd", node=f"cp-{number}", ready=number != 2) for number in (1, 2, 3)]
    sheet = answered(*members)
    assert (sheet.verdict, sheet.conclusion) == ("1 of 3 pods not ready", Conclusion.TROUBLE)
    assert facts(sheet)["etcd"] == "3 members: 1 failure can be tolerated"


def test_a_managed_control_plane_shows_its_leaders_only() -> None:
    default = {**PROXY, "data": {"config.conf": 'mode: ""\n'}}
    proxy = component("kube-proxy")
    sheet = answered(lease("kube-scheduler", "2026-01-15T09:59:00Z"), default, proxy)
    assert sheet.conclusion is Conclusion.ACCOUNT
    assert sheet.verdict == "its pods are not visible here, as in a managed cluster"
    assert facts(sheet)["leader"].startswith("kube-scheduler: cp-1, renewed its lease ")
    assert facts(sheet)["kube-proxy"] == "the default mode (iptables on Linux)"


def test_without_a_pod_of_its_namespace_nothing_is_known() -> None:
    sheet = answered(PROXY, {"kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}, "spec": {}})
    assert (sheet.verdict, sheet.conclusion) == (
        "not known: no pod of Namespace kube-system was seen",
        Conclusion.UNKNOWN,
    )
    assert sheet.gaps == ("Pods of Namespace kube-system: none was seen",)


def test_the_checks_of_the_api_server() -> None:
    failed = ("[+]ping ok", "[-]etcd failed: reason withheld", "[+]informer-sync excluded: ok", "readyz check failed")
    for lines, text, conclusion in (
        (failed, "etcd failed: reason withheld", Conclusion.TROUBLE),
        (("[+]ping ok", "readyz check passed"), "all of 1 check passed", Conclusion.WELL),
    ):
        snapshot = complete(component("kube-apiserver"))
        snapshot.add_log(READYZ, LogTail(READYZ.about, READYZ.container, False, lines))
        sheet = control_plane.answer(Ref("Namespace", "", "shop"), Choices(), Cluster(snapshot))
        assert (facts(sheet)["readyz"], sheet.conclusion) == (text, conclusion)
        assert sheet.verdict.startswith("the API server is not ready") == (conclusion is Conclusion.TROUBLE)
