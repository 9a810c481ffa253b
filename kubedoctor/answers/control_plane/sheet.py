"""The control plane as a sheet: components, leaders, settings of the API server, mode of kube-proxy."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from kubedoctor.answers.control_plane.flags import api_server_settings, profiling
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.coordination import Lease
from kubedoctor.cluster.kinds.core import ConfigMap
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.mirror_pods import NAMESPACE, static_pods
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import ready
from kubedoctor.findings.model import Command
from kubedoctor.replay.status.readyz import checks_of

TITLE: Final = "Control plane"
COMPONENTS: Final = ("kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler")
_LEADERS: Final = COMPONENTS[2:]
_PROXY: Final = "kube-proxy"
_MODE: Final = re.compile(r'^mode:\s*"?([\w-]*)"?\s*$', re.MULTILINE)


def control_plane_sheet(cluster: Cluster) -> Sheet:
    """What is visible of it; of a managed control plane only leases and kube-proxy are."""
    cluster.together(
        *(lambda name=name: static_pods(name, cluster) for name in COMPONENTS),
        *(lambda name=name: cluster.maybe.get(Lease, NAMESPACE, name) for name in _LEADERS),
        lambda: cluster.maybe.get(ConfigMap, NAMESPACE, _PROXY),
        cluster.maybe.readyz,
    )
    checks, failed = _checks(cluster)
    pods = {name: static_pods(name, cluster) for name in COMPONENTS}
    found = [pod for name in COMPONENTS for pod in pods[name]]
    down = [pod for pod in found if not ready(pod)]
    facts = (*checks, *_leaders(cluster), *_settings(pods), *_proxy(cluster))
    gaps = tuple(str(gap) for gap in sorted(cluster.gaps))
    next_ = (
        Command("kubectl get --raw='/readyz?verbose'", "what the API server itself checks, etcd included"),
        Command("kubectl get pods -n kube-system -o wide", "the pods of the control plane and of each node"),
    )
    if not found and not cluster.maybe.all(Pod, NAMESPACE):
        gap = () if any("Pod" in row for row in gaps) else (f"Pods of Namespace {NAMESPACE}: none was seen",)
        verdict = f"not known: no pod of Namespace {NAMESPACE} was seen"
        return Sheet(TITLE, verdict, Conclusion.UNKNOWN, facts, next=next_, gaps=(*gaps, *gap))
    if not found:
        verdict = "its pods are not visible here, as in a managed cluster"
        if failed:
            verdict = f"the API server is not ready; {verdict}"
        return Sheet(TITLE, verdict, Conclusion.TROUBLE if failed else Conclusion.ACCOUNT, facts, next=next_, gaps=gaps)
    verdict = (
        f"{counted(len(found), 'pod')}, all ready"
        if not down
        else f"{len(down)} of {counted(len(found), 'pod')} not ready"
    )
    if failed:
        verdict = f"the API server is not ready; {verdict}"
    table = Table(("component", "node", "ready", "version"), tuple(map(_row, found)))
    conclusion = Conclusion.TROUBLE if down or failed else Conclusion.WELL
    return Sheet(TITLE, verdict, conclusion, facts, (table,), next=next_, gaps=gaps)


def _row(pod: Pod) -> SheetRow:
    mark = Mark.YES if ready(pod) else Mark.NO
    version = pod.spec.containers[0].image.rpartition(":")[2] if pod.spec.containers else ""
    cells = (Cell(pod.labels.get("component", pod.name)), Cell(pod.spec.node_name), Cell("", mark), Cell(version))
    return SheetRow(cells, ref(pod))


def _checks(cluster: Cluster) -> tuple[tuple[Fact, ...], bool]:
    """The API server's own checks, and whether one fails."""
    tail = cluster.maybe.readyz()
    checks = checks_of(tail.lines) if tail is not None else ()
    failed = [check for check in checks if not check.passed]
    if not checks:
        return (), False
    if failed:
        return tuple(Fact("readyz", f"{check.name} {check.said}") for check in failed), True
    return (Fact("readyz", f"all of {counted(len(checks), 'check')} passed"),), False


def _leaders(cluster: Cluster) -> tuple[Fact, ...]:
    facts = []
    for name in _LEADERS:
        lease = cluster.maybe.get(Lease, NAMESPACE, name)
        renewed = lease.spec.renew_time if lease is not None else None
        if lease is not None and renewed is not None:
            holder = (lease.spec.holder_identity or "no holder").partition("_")[0]
            age = human_duration(max(cluster.taken_at - renewed, timedelta()))
            facts.append(Fact("leader", f"{name}: {holder}, renewed its lease {age} ago"))
    return tuple(facts)


def _settings(pods: dict[str, tuple[Pod, ...]]) -> tuple[Fact, ...]:
    facts = [
        Fact(setting.name, setting.text) for pod in pods["kube-apiserver"][:1] for setting in api_server_settings(pod)
    ]
    for name in _LEADERS:
        facts += [Fact("profiling", f"{name}: {profiling(pod).text}") for pod in pods[name][:1]]
    if members := pods["etcd"]:
        allowed = (len(members) - 1) // 2
        facts.append(Fact("etcd", f"{counted(len(members), 'member')}: {counted(allowed, 'failure')} can be tolerated"))
    return tuple(facts)


def _proxy(cluster: Cluster) -> tuple[Fact, ...]:
    config = cluster.maybe.get(ConfigMap, NAMESPACE, _PROXY)
    text = (config.data or {}).get("config.conf", "") if config is not None else ""
    mode = _MODE.search(text)
    if not text:
        return ()
    return (
        Fact(
            "kube-proxy", f"mode {mode[1]}" if mode is not None and mode[1] else "the default mode (iptables on Linux)"
        ),
    )
