"""Which Service's link a message repeats (upstream: pkg/kubelet/envvars/envvars_test.go)."""

from __future__ import annotations

import pytest

from kubedoctor.cluster import Pod, Service
from kubedoctor.cluster.kinds.core import ServicePort, ServiceSpec
from kubedoctor.cluster.kinds.meta import ManagedMeta
from kubedoctor.cluster.kinds.pods import PodSpec
from kubedoctor.replay.kubelet.service_links import service_link

SERVICES = (
    Service(
        metadata=ManagedMeta(name="headless", namespace="shop"),
        spec=ServiceSpec(cluster_ip="None", ports=(ServicePort(port=8083),)),
    ),
    Service(
        metadata=ManagedMeta(name="foo-bar", namespace="shop"),
        spec=ServiceSpec(cluster_ip="1.2.3.4", ports=(ServicePort(port=8080), ServicePort(port=8083))),
    ),
    Service(
        metadata=ManagedMeta(name="super-ipv6", namespace="shop"),
        spec=ServiceSpec(cluster_ip="2001:DB8::", ports=(ServicePort(port=8084),)),
    ),
)


@pytest.mark.parametrize(
    ("message", "variable"),
    [
        ("invalid literal for int() with base 10: 'tcp://1.2.3.4:8080'", "FOO_BAR_PORT"),
        ("listen tcp: address tcp://1.2.3.4:8080: too many colons in address", "FOO_BAR_PORT"),
        ('listen URL "ldap://ldap-0:tcp://1.2.3.4:8080" parse error=5', "FOO_BAR_PORT"),
        ('strconv.Atoi: parsing "udp://[2001:DB8::]:8084": invalid syntax', "SUPER_IPV6_PORT"),
        ("dial tcp://1.2.3.4:9090", ""),
        ("tcp://1.2.3.5:8080", ""),
        ("http://1.2.3.4:8080", ""),
    ],
)
def test_the_service_of_a_link(message: str, variable: str) -> None:
    link = service_link(Pod(), message, SERVICES)
    assert (link.variable if link else "") == variable


def test_a_pod_without_links_gets_none() -> None:
    pod = Pod(spec=PodSpec(enable_service_links=False))
    assert service_link(pod, "tcp://1.2.3.4:8080", SERVICES) is None
