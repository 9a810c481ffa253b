"""The rows of admission policies, asked of a real API server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.cli.test_check_policies import PODS, ROWS, WEB
from tests.real.verdicts.server import BUILT, ApiServer

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not BUILT, reason="etcd and kube-apiserver are not built: make real-cluster"),
]
REGISTERED = "/apis/admissionregistration.k8s.io/v1"
PATHS = {
    "ValidatingAdmissionPolicy": f"{REGISTERED}/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": f"{REGISTERED}/validatingadmissionpolicybindings",
    "ConfigMap": "/api/v1/namespaces/shop/configmaps",
}
ACTIVE_AFTER = 3
"""Seconds until a policy counts."""


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        space: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
        assert server.request("POST", "/api/v1/namespaces", space)[0] == 201
        yield server


@pytest.mark.parametrize("name", ROWS)
def test_the_api_server_says_what_the_row_says(name: str, server: ApiServer) -> None:
    text, says = ROWS[name]
    documents = list(yaml.safe_load_all(text + WEB))
    objects, web = documents[:-1], documents[-1]
    try:
        for obj in objects:
            status, answer = server.request("POST", PATHS[obj["kind"]], obj)
            assert status == 201, answer
        time.sleep(ACTIVE_AFTER)
        if objects[0]["spec"]["matchConstraints"]["resourceRules"][0]["resources"] == [PODS[1]]:
            pod = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "web"},
                "spec": web["spec"]["template"]["spec"],
            }
            said = server.dry_run("/api/v1/namespaces/shop/pods", pod)
        else:
            said = server.dry_run("/apis/apps/v1/namespaces/shop/deployments", web)
        refused = bool(says) and name != "a warning"
        assert bool(said) == refused, said
        if refused:
            assert says.rpartition("denies the pods: ")[2] in said
    finally:
        for obj in objects:
            server.request("DELETE", f"{PATHS[obj['kind']]}/{obj['metadata']['name']}")
