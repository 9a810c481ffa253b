"""What the kubelets' configuration says of the DNS servers."""

from __future__ import annotations

import pytest

from kubedoctor.cluster import ConfigMap
from kubedoctor.replay.dns.dependence import addresses_of


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("clusterDNS:\n- 10.96.0.10\nclusterDomain: cluster.local\n", ("10.96.0.10",)),
        ("a: b\nclusterDNS:\n  - '10.96.0.10'\n  - \"fd00::a\"\n", ("10.96.0.10", "fd00::a")),
        ("clusterDNS:\n- 10.96.0.10", ("10.96.0.10",)),
        ("clusterDNS: [10.96.0.10, 10.96.0.11]\n", ("10.96.0.10", "10.96.0.11")),
        ("clusterDNS: []\n", ()),
        ("clusterDNS:\nclusterDomain: cluster.local\n", ()),
        ("other:\n  clusterDNS:\n  - 10.96.0.10\n", ()),
        ("", ()),
    ],
)
def test_cluster_dns_is_read_from_yaml(text: str, addresses: tuple[str, ...]) -> None:
    assert addresses_of(ConfigMap(data={"kubelet": text})) == addresses


def test_a_configuration_without_its_file_names_nothing() -> None:
    assert addresses_of(ConfigMap()) == ()
    assert addresses_of(ConfigMap(data={"kubeadm": "clusterDNS:\n- 10.96.0.10\n"})) == ()
