"""Plug-ins that send to Services beside kube-proxy."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster import Cluster
from kubedoctor.replay.network.other_proxies import CILIUM_CONFIG, other_proxy
from tests.engine.clinic import complete


def daemon_set(image: str, **container: Any) -> dict[str, Any]:
    pod = {"containers": [{"name": "agent", "image": image, **container}]}
    return {"kind": "DaemonSet", "metadata": {"name": "a", "namespace": "n"}, "spec": {"template": {"spec": pod}}}


def config(value: str) -> dict[str, Any]:
    return {
        "kind": "ConfigMap",
        "metadata": {"name": CILIUM_CONFIG, "namespace": "n"},
        "data": {"kube-proxy-replacement": value},
    }


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([daemon_set("quay.io/cilium/cilium:v1.18.2")], "Cilium"),
        ([daemon_set("quay.io/cilium/cilium@sha256:1"), config("strict")], "Cilium"),
        ([daemon_set("quay.io/cilium/cilium:v1.18.2"), config("disabled")], ""),
        ([daemon_set("quay.io/cilium/cilium-envoy:v1")], ""),
        ([daemon_set("docker.io/cloudnativelabs/kube-router:v2.5.0", args=["--run-router=true"])], "kube-router"),
        ([daemon_set("cloudnativelabs/kube-router", args=["--run-service-proxy=false"])], ""),
        ([daemon_set("calico/node:v3.30.1", env=[{"name": "FELIX_BPFENABLED", "value": "true"}])], "Calico"),
        ([daemon_set("quay.io/calico/node:v3.30.1")], ""),
        ([daemon_set("registry.k8s.io/kube-proxy:v1.34.0")], ""),
        ([], ""),
    ],
)
def test_plug_ins_that_can_do_the_work_of_kube_proxy(objects: list[dict[str, Any]], expected: str) -> None:
    assert other_proxy(Cluster(complete(*objects))) == expected
