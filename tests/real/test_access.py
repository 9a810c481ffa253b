"""The least-privilege role on a real API server: with it no gap, and with any rule less the gap is named."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import yaml

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import Document
from tests.real.diagnosis import diagnose, run
from tests.real.namespace import Namespace
from tests.real.workloads import RBAC, manifest

pytestmark = pytest.mark.real
NAME = "kubedoctor-reader"


@pytest.fixture
def reader(cluster: RealCluster, namespace: Namespace, tmp_path: Path) -> Path:
    """A kubeconfig of a service account that is bound to a ClusterRole of that name, which need not exist."""
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": namespace.name}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": NAME}
    cluster.apply(
        manifest("ServiceAccount", "reader", namespace.name),
        manifest("ClusterRoleBinding", NAME, None, f"{RBAC}/v1", roleRef=role, subjects=[subject]),
    )
    token = cluster.kubectl("create", "token", "reader", "-n", namespace.name).strip()
    return cluster.kubeconfig_with(token, tmp_path / "kubeconfig")


def missing(kubeconfig: Path) -> tuple[int, set[str]]:
    done = run(kubeconfig, "access", "-o", "json")
    return done.returncode, {row["resource"] for row in json.loads(done.stdout)["missing"]}


def lacks(kubeconfig: Path, resource: str) -> bool:
    return missing(kubeconfig) == (1, {resource})


def put(cluster: RealCluster, role: Document) -> None:
    cluster.kubectl("apply", "-f", "-", text=json.dumps(role))


def test_the_role_leaves_no_gap_and_any_rule_less_is_named(cluster: RealCluster, reader: Path) -> None:
    code, refused = missing(reader)
    assert (code, "pods" in refused, "secrets" in refused) == (1, True, True)
    (role,) = yaml.safe_load_all(run(cluster.visitor_kubeconfig, "access", "--role", "needed").stdout)
    put(cluster, role)
    cluster.wait_for("the role", lambda: missing(reader) == (0, set()))

    report = diagnose(reader, "scan", "-A")
    assert [gap for gap in report.unseen if "forbidden" in gap] == []

    for place, rule in enumerate(role["rules"]):
        for resource in rule["resources"][:1]:
            rest = [name for name in rule["resources"] if name != resource]
            less = [{**rule, "resources": rest}] if rest else []
            put(cluster, {**role, "rules": [*role["rules"][:place], *less, *role["rules"][place + 1 :]]})
            group = rule["apiGroups"][0]
            plural, slash, subresource = resource.partition("/")
            named = f"{plural}.{group}{slash}{subresource}" if group else resource
            cluster.wait_for(f"the gap of {named}", partial(lacks, reader, named))

    put(cluster, {**role, "rules": [rule for rule in role["rules"] if "pods" not in rule["resources"]]})
    cluster.wait_for("the gaps", lambda: "pods" in missing(reader)[1])
    gaps = run(reader, "access", "--role", "missing").stdout
    assert "kubedoctor-reader-gaps" in gaps
    cluster.kubectl("apply", "-f", "-", text=gaps)
    cluster.wait_for("no gap", lambda: missing(reader) == (0, set()))
    cluster.kubectl("delete", "clusterrole,clusterrolebinding", NAME, f"{NAME}-gaps", "--ignore-not-found")
