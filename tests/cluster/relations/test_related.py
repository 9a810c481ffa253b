"""Relations that a package declares: what is examined with an object."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, CustomResource, Deployment, Pod, Ref, Want
from kubedoctor.cluster.relations.related import related, related_objects
from kubedoctor.cluster.seen.wants import LogWant
from tests.engine.clinic import complete, deployment, live, objects, pod, replica_set

CERTIFICATE = "Certificate.acme.example"


@related(Pod, workloads_too=True)
def certificate_of(one: Pod, _: Cluster) -> Iterator[Ref]:
    if name := one.annotations.get("acme.example/certificate"):
        yield Ref(CERTIFICATE, one.namespace, name)


@related(CERTIFICATE)
def users(certificate: CustomResource, cluster: Cluster) -> Iterator[Ref]:
    yield from (Ref("Pod", one.namespace, one.name) for one in cluster.all(Pod, certificate.namespace))


@related(Pod)
def broken(one: Pod, _: Cluster) -> Iterator[Ref]:
    yield Ref("Node", "", "n1")
    raise KeyError("acme.example/tier")


def certified(name: str, **more: str) -> dict[str, object]:
    manifest = pod(name, **more)
    manifest["metadata"]["annotations"] = {"acme.example/certificate": "web-tls"}
    return manifest


def the_pod(cluster: Cluster) -> Pod:
    found = cluster.get(Pod, "shop", "web-1")
    assert found is not None
    return found


def test_a_relation_of_pods_names_custom_resources() -> None:
    cluster = Cluster(complete(certified("web-1")))
    assert related_objects(the_pod(cluster), cluster, set(), (certificate_of, users)) == (
        Ref(CERTIFICATE, "shop", "web-tls"),
    )


def test_a_relation_starts_from_a_custom_kind_as_well() -> None:
    cluster = Cluster(complete(certified("web-1")))
    (certificate,) = objects({"kind": CERTIFICATE, "metadata": {"name": "web-tls", "namespace": "shop"}})
    assert isinstance(certificate, CustomResource)
    named = CustomResource(metadata=certificate.metadata, kind="Certificate", api_version="acme.example/v1")
    assert related_objects(named, cluster, set(), (certificate_of, users)) == (Ref("Pod", "shop", "web-1"),)


def test_what_pods_lead_to_is_examined_with_their_workload_where_the_relation_says_so() -> None:
    cluster = Cluster(complete(deployment("web"), replica_set("web-abc", "web"), certified("web-1", owner="web-abc")))
    workload = cluster.get(Deployment, "shop", "web")
    assert workload is not None
    assert related_objects(workload, cluster, set(), (certificate_of, broken)) == (Ref(CERTIFICATE, "shop", "web-tls"),)


def test_a_relation_that_raises_costs_nothing_but_itself() -> None:
    cluster = Cluster(complete(certified("web-1")))
    names = related_objects(the_pod(cluster), cluster, set(), (broken, certificate_of))
    assert names == (Ref(CERTIFICATE, "shop", "web-tls"),)
    (gap,) = cluster.gaps
    assert "test_related.broken failed: KeyError: 'acme.example/tier'" in str(gap)


def test_what_a_relation_reads_and_is_not_here_is_asked_for() -> None:
    wants: set[Want | LogWant] = set()
    certificate = CustomResource(
        metadata=objects(certified("web-1"))[0].metadata, kind="Certificate", api_version="acme.example/v1"
    )
    assert not related_objects(certificate, Cluster(live()), wants, (users,))
    assert wants == {Want("Pod", "shop")}
