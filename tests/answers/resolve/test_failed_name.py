"""Why the name of a Service that exists does not resolve."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.answers.resolve.failed_name import why_not_resolved
from kubedoctor.cluster import Cluster, Pod, Ref, Service
from tests.answers.resolve.test_resolve import READY, Manifest, config, pod, service
from tests.engine.clinic import complete

RUNS: Manifest = {"containerStatuses": [{"name": "c", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]}
OWNED = [{"kind": "StatefulSet", "name": "db", "controller": True}]


def peer(name: str, **status: Any) -> Manifest:
    row = pod("data", name, status or RUNS, dnsPolicy="ClusterFirst", hostname=name, subdomain="db")
    row["metadata"] |= {"labels": {"k8s-app": "db"}, "ownerReferences": OWNED}
    return row


def stateful_set(replicas: int, policy: str = "OrderedReady") -> Manifest:
    template = {"metadata": {"labels": {"k8s-app": "db"}}, "spec": {"containers": [{"name": "c"}]}}
    spec = {"replicas": replicas, "serviceName": "db", "podManagementPolicy": policy, "template": template}
    return {"kind": "StatefulSet", "metadata": {"name": "db", "namespace": "data"}, "spec": spec}


HEADLESS = service("data", "db", "None")
PUBLISHED = service("data", "db", "None", publishNotReadyAddresses=True)
PLAIN = service("data", "db", "10.96.0.7")
OTHER_DOMAIN = config(".:53 {\n kubernetes k8s.acme in-addr.arpa\n}\n")
ON_NODE = pod("web", "agent", hostNetwork=True, dnsPolicy="ClusterFirst", nodeName="n1")
OWN_DNS = pod("web", "agent", dnsPolicy="None", dnsConfig={"nameservers": ["10.96.0.10"]})
SEARCHING = pod("web", "agent", dnsPolicy="None", dnsConfig={"nameservers": ["10.96.0.10"], "searches": ["svc.cluster.local"]})  # fmt: skip
OTHER_DNS = pod("web", "agent", dnsPolicy="None", dnsConfig={"nameservers": ["9.9.9.9"]})
DNS = service("kube-system", "kube-dns", "10.96.0.10")
CLIENT = pod("web", "agent")
PEERS = (peer("db-0"), peer("db-1"))

CASES = {
    "network of the node": (ON_NODE, "db.data.svc", (PLAIN,), "dnsPolicy ClusterFirst with hostNetwork asks the DNS servers of node n1", "ClusterFirstWithHostNet"),
    "another server": (OTHER_DNS, "db.data", (PLAIN, DNS), "dnsPolicy None asks the DNS servers of its dnsConfig", "dnsPolicy: ClusterFirst"),
    "the cluster's server by dnsConfig": (SEARCHING, "db.data", (PLAIN, DNS), None, ""),
    "no search list": (OWN_DNS, "db.data", (PLAIN, DNS), "no search list completes it", "Add svc.cluster.local to dnsConfig.searches"),
    "another domain": (CLIENT, "db.data.svc.cluster.local", (PLAIN, OTHER_DOMAIN), "the domain of the cluster is k8s.acme, not cluster.local", "db.data.svc"),
    "the right domain": (CLIENT, "db.data.svc.cluster.local", (PLAIN, config()), None, ""),
    "pods of a Service that is not headless": (CLIENT, "db-0.db.data.svc", (PLAIN,), "Service data/db is not headless (clusterIP 10.96.0.7)", "headless Service"),
    "peers that are not ready": (peer("db-0"), "db-1.db.data.svc", (HEADLESS, *PEERS), "Pod db-1 is not ready (publishNotReadyAddresses: false)", "Publish the pods"),
    "a peer that does not run": (peer("db-0"), "db-1.db.data.svc", (HEADLESS, peer("db-0"), peer("db-1", phase="Pending")), "Pod db-1 is not ready", ""),
    "a client of pods that are not ready": (CLIENT, "db.data", (HEADLESS, *PEERS), "none of its pods is", ""),
    "ready pods": (CLIENT, "db.data", (HEADLESS, peer("db-0", **READY)), None, ""),
    "a peer to come": (peer("db-0"), "db-1.db.data.svc", (PUBLISHED, peer("db-0"), stateful_set(2)), "creates each pod when the one before it is ready", ""),
    "one too many": (peer("db-0"), "db-3.db.data.svc", (HEADLESS, peer("db-0"), stateful_set(2, "Parallel")), "no Pod db-3 exists: StatefulSet data/db has 2 replicas", ""),
    "of no such pod": (CLIENT, "main.db.data.svc", (HEADLESS, *PEERS), "no pod of Service data/db is named main, only db-0, db-1", ""),
    "published": (peer("db-0"), "db-1.db.data.svc", (PUBLISHED, *PEERS), None, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_why_a_name_does_not_resolve(case: str) -> None:
    asker, host, objects, why, fix = CASES[case]
    own = {(row["kind"], row["metadata"]["name"]): row for row in (asker, *objects)}
    cluster = Cluster(complete(*own.values()))
    name = asker["metadata"]["namespace"], asker["metadata"]["name"]
    source, target = cluster.get(Pod, *name), cluster.get(Service, "data", "db")
    assert source is not None
    assert target is not None
    found = why_not_resolved(source, host, target, Ref("Pod", *name), cluster, answered=True)
    if why is None:
        assert found is None
        return
    assert found is not None
    assert why in found.why
    assert any(fix in row.summary for row in found.fixes) == bool(fix)


def test_without_an_answer_the_dns_itself_is_left() -> None:
    cluster = Cluster(complete(HEADLESS, CLIENT, *PEERS))
    source, target = cluster.get(Pod, "web", "agent"), cluster.get(Service, "data", "db")
    assert source is not None
    assert target is not None
    why = why_not_resolved(source, "db.data", target, Ref("Pod", "web", "agent"), cluster, answered=False)
    assert why is None
