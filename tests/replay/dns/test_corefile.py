"""Corefiles against what CoreDNS 1.14.7 itself refused to load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cluster.kinds.core import Service, ServicePort, ServiceSpec
from kubedoctor.cluster.kinds.meta import ManagedMeta
from kubedoctor.replay.dns.corefile import corefile_error, unknown_directives
from kubedoctor.replay.dns.service import is_cluster_dns

NOT_THE_COREFILE = {"address-in-use", "kubernetes-outside-a-cluster"}
"""These end too, but for what is around CoreDNS; the second is worded like a plugin's mistake."""


def rows(shared: Path) -> list[dict[str, Any]]:
    text = (shared / "conformance/dns/broken.jsonl").read_text(encoding="utf-8")
    found = [json.loads(line) for line in text.splitlines()]
    assert {row["exit"] is None for row in found} == {True, False}
    return found


def test_refusals_are_recognised(shared: Path) -> None:
    for row in rows(shared):
        error = corefile_error(row["log"])
        if row["exit"] is None:
            assert error is None, row["name"]
        elif row["name"] not in NOT_THE_COREFILE:
            assert error is not None, row["name"]
            assert row["name"] == "forward-loop" or error.index == len(row["log"]) - 1


def test_unknown_plugins_are_those_that_coredns_names(shared: Path) -> None:
    for row in rows(shared):
        error = corefile_error(row["log"])
        named = (((error.line, error.directive),) if error and error.directive else ()) if error else ()
        assert unknown_directives(row["corefile"]) == named, row["name"]


def test_every_plugin_that_a_working_corefile_uses_is_known(shared: Path) -> None:
    data = json.loads((shared / "conformance/dns/cluster.json").read_text(encoding="utf-8"))
    texts = [text for text in data["corefiles"].values() if isinstance(text, str)]
    assert texts
    assert [unknown_directives(text) for text in texts] == [()] * len(texts)


def test_loop() -> None:
    line = '[FATAL] plugin/loop: Loop (127.0.0.1:55953 -> :1053) detected for zone ".", see https://coredns.io/plugins/loop'
    error = corefile_error(["linux/amd64", line])
    assert error is not None
    assert (error.loop, error.index) == (True, 1)


@pytest.mark.parametrize(
    ("namespace", "name", "label", "port", "expected"),
    [
        ("kube-system", "kube-dns", "kube-dns", 53, True),
        ("kube-system", "rke2-coredns-rke2-coredns", "kube-dns", 53, True),
        ("openshift-dns", "dns-default", "", 53, True),
        ("kube-system", "kube-dns-metrics", "kube-dns", 9153, False),
        ("shop", "kube-dns", "kube-dns", 53, False),
    ],
)
def test_cluster_dns(namespace: str, name: str, label: str, port: int, expected: bool) -> None:
    service = Service(
        metadata=ManagedMeta(name=name, namespace=namespace, labels={"k8s-app": label}),
        spec=ServiceSpec(ports=(ServicePort(port=port),)),
    )
    assert is_cluster_dns(service) is expected
