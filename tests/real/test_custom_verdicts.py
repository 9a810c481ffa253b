"""The rows of custom kinds, asked of a real API server."""

from __future__ import annotations

import json
import time

import pytest

from tests.real.verdicts.server import BUILT, ApiServer
from tests.replay.validation.custom_rows import ROWS

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not BUILT, reason="etcd and kube-apiserver are not built: make real-cluster"),
]
GROUP = "rows.example.com"


def test_the_api_server_says_what_the_rows_say() -> None:
    wrong = []
    with ApiServer() as server:
        for number, row in enumerate(ROWS):
            plural = f"gizmo{number}s"
            status, answer = server.request(
                "POST",
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                {
                    "apiVersion": "apiextensions.k8s.io/v1",
                    "kind": "CustomResourceDefinition",
                    "metadata": {"name": f"{plural}.{GROUP}"},
                    "spec": {
                        "group": GROUP,
                        "scope": "Namespaced",
                        "names": {"plural": plural, "kind": f"Gizmo{number}"},
                        "versions": [
                            {
                                "name": "v1",
                                "served": True,
                                "storage": True,
                                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": row.schema}}},
                            }
                        ],
                    },
                },
            )
            assert status == 201, (row, answer)
        path = f"/apis/{GROUP}/v1/namespaces/default"
        deadline = time.monotonic() + 60
        while server.request("GET", f"{path}/gizmo{len(ROWS) - 1}s")[0] != 200 and time.monotonic() < deadline:
            time.sleep(0.5)
        for number, row in enumerate(ROWS):
            body = {
                "apiVersion": f"{GROUP}/v1",
                "kind": f"Gizmo{number}",
                "metadata": {"name": "a"},
                "spec": row.spec,
            }
            _, answer = server.request("POST", f"{path}/gizmo{number}s?dryRun=All&fieldValidation=Strict", body)
            said = answer.get("message", "") if answer.get("kind") == "Status" else ""
            if bool(said) != bool(row.refused) or row.refused.rpartition(": ")[2] not in said:
                wrong.append(f"{json.dumps(row)}: {said or 'taken'}")
    assert not wrong, "\n".join(wrong)
