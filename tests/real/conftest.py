"""One real cluster with a real node for the whole session, and a fresh namespace for each test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

import pytest

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.requirements import why_not_run
from tests.real.diagnosis import Diagnosis, diagnose
from tests.real.namespace import Namespace
from tests.real.workloads import cluster_dns, manifest

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[RealCluster]:
    """A real control plane and one real node, with the cluster's DNS running."""
    if reason := why_not_run():
        pytest.skip(reason)
    with RealCluster(f"pytest-{os.getpid()}", node=True) as cluster:
        cluster.wait_for("service account", lambda: bool(cluster.get("serviceaccount", "default", "kube-system")))
        cluster.apply(*cluster_dns())
        cluster.kubectl("rollout", "status", "deployment/coredns", "-n", "kube-system", "--timeout=120s")
        yield cluster


@pytest.fixture
def namespace(cluster: RealCluster) -> Iterator[Namespace]:
    name = f"shop-{next(NUMBERS)}"
    cluster.apply(manifest("Namespace", name, None))
    cluster.wait_for("service account", lambda: bool(cluster.get("serviceaccount", "default", name)))
    yield Namespace(cluster, name)
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def ask(cluster: RealCluster) -> Callable[..., Diagnosis]:
    """Diagnose as the visitor, who may read everything."""

    def ask(*arguments: str) -> Diagnosis:
        return diagnose(cluster.visitor_kubeconfig, *arguments)

    return ask
