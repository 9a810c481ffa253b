"""In which pod the controller of a volume driver runs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubedoctor.cluster import Cluster, Event, Lease, Pod, Snapshot, Source, holder_of, lease_of, pod_that_said
from kubedoctor.cluster.kinds.coordination import LeaseSpec
from kubedoctor.cluster.kinds.core import EventSource
from kubedoctor.cluster.kinds.meta import KubernetesObject, ObjectMeta


def cluster(*objects: KubernetesObject) -> Cluster:
    snapshot = Snapshot(datetime(2026, 1, 15, 10, tzinfo=UTC), Source("files", "t", "v1.37.0"), complete=True)
    snapshot.add(objects)
    return Cluster(snapshot)


POD = Pod(metadata=ObjectMeta(name="ebs-csi-controller-7c-x2", namespace="storage"))


@pytest.mark.parametrize(
    ("component", "found"),
    [
        ("ebs.csi.aws.com_ebs-csi-controller-7c-x2_8837f624-6ded", True),
        ("ebs.csi.aws.com_ebs-csi-controller-9-zz_8837f624-6ded", False),
        ("persistentvolume-controller", False),
        ("a__b", False),
        ("", False),
    ],
)
def test_a_provisioner_signs_its_events_with_its_pod(component: str, found: bool) -> None:
    event = Event(source=EventSource(component=component))
    assert (pod_that_said(event, cluster(POD)) is not None) is found


@pytest.mark.parametrize(
    ("lease", "driver", "found"),
    [
        ("ebs-csi-aws-com", "ebs.csi.aws.com", True),
        ("rancher.io-local-path", "rancher.io/local-path", True),
        ("external-resizer-ebs-csi-aws-com", "ebs.csi.aws.com", False),
    ],
)
def test_the_lease_has_the_name_of_the_driver(lease: str, driver: str, found: bool) -> None:
    state = cluster(Lease(metadata=ObjectMeta(name=lease, namespace="storage")))
    assert (lease_of(driver, state) is not None) is found


@pytest.mark.parametrize("identity", ["ebs-csi-controller-7c-x2", "ebs-csi-controller-7c-x2_0b1f"])
def test_the_holder_is_a_pod_of_the_namespace(identity: str) -> None:
    lease = Lease(metadata=ObjectMeta(name="l", namespace="storage"), spec=LeaseSpec(holder_identity=identity))
    assert holder_of(lease, cluster(POD)) is not None
    elsewhere = Lease(metadata=ObjectMeta(name="l", namespace="shop"), spec=LeaseSpec(holder_identity=identity))
    assert holder_of(elsewhere, cluster(POD)) is None
    assert holder_of(Lease(), cluster(POD)) is None
