"""kube-proxy cannot read the Services.

## What it means
The pods of kube-proxy are ready, and their log says that the API server refuses to list the Services or EndpointSlices, or
cannot be reached. New Services have no rules on the node, and old rules lead to pods that are gone: connections to cluster
IPs time out or are refused.

## Why it happens
- The ServiceAccount of kube-proxy has no binding to the ClusterRole `system:node-proxier`.
- kube-proxy does not reach the API server: a wrong `server` in its kubeconfig, an expired certificate.

## How to fix it
1. Bind the ClusterRole, or correct what the line of the log names.
2. Restart kube-proxy if it does not recover by itself: `kubectl rollout restart daemonset/kube-proxy -n kube-system`.

## References
- https://kubernetes.io/docs/reference/networking/virtual-ips/
- https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/#is-the-kube-proxy-working
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from diagnostics.services._triage import is_kube_proxy
from kubedoctor.answers.permissions import bound
from kubedoctor.cluster import (
    Cluster,
    ClusterRole,
    ClusterRoleBinding,
    ConfigMap,
    DaemonSet,
    LogTail,
    Pod,
    Ref,
    finished,
    ready,
    ref,
    terminating,
    visible_end,
)
from kubedoctor.findings import (
    Confidence,
    Explains,
    Finding,
    Fix,
    Severity,
    diagnostic,
    edit_command,
    look_at_log,
    quote_line,
)
from kubedoctor.replay.network.other_proxies import other_proxy
from kubedoctor.replay.permissions.refusals import refusal_in
from kubedoctor.replay.services.proxy_log import UnreadServices, unread_services

_NAME: Final = "kube-proxy"
_ROLE: Final = Ref("ClusterRole", "", "system:node-proxier")
_LOGS: Final = 3
_LONGEST: Final = 120


@diagnostic(
    code="KD2031",
    subject=DaemonSet,
    severity=Severity.CRITICAL,
    reads=(DaemonSet, Pod, ConfigMap, ClusterRole, ClusterRoleBinding),
    when=is_kube_proxy,
    explains=(Explains("proxied", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029", "KD2101")),),
    symptoms=("kube-proxy", "i/o timeout", "no route to host", "ClusterIP"),
)
def proxy_sees_no_services(daemon_set: DaemonSet, cluster: Cluster) -> Iterator[Finding]:
    pods = [pod for pod in cluster.owned_by(Pod, ref(daemon_set)) if not finished(pod) and not terminating(pod)]
    running = sorted((pod for pod in pods if ready(pod)), key=lambda pod: pod.name)[:_LOGS]
    cluster.together(*(partial(cluster.log_tail, pod, _NAME, optional=True) for pod in running))
    for pod in running:
        tail = (
            cluster.log_tail(pod, _NAME, optional=True)
            if any(row.name == _NAME for row in pod.spec.containers)
            else None
        )
        fault = unread_services(tail.lines, cluster.taken_at) if tail is not None else None
        if tail is not None and fault is not None:
            yield _finding(daemon_set, pod, tail, fault, cluster)
            return


def _finding(daemon_set: DaemonSet, pod: Pod, tail: LogTail, fault: UnreadServices, cluster: Cluster) -> Finding:
    about, other = ref(daemon_set), other_proxy(cluster)
    line = tail.lines[fault.index]
    refusal = refusal_in(line) if fault.forbidden else None
    if refusal is not None:
        what = f"may not list {refusal.what}"
        fixes = (bound(_ROLE, refusal, _NAME, cluster),) if refusal.service_account else ()
    else:
        unread = "its Node" if fault.at_start else "the Services"
        what = f"cannot read {unread}: {visible_end(fault.why, _LONGEST)}"
        fixes = (Fix("Correct the server or the certificate in its kubeconfig", edit_command(_settings(pod, about))),)
    rules = "it waits for its Node and has written no rules since it started"
    effect = rules if fault.at_start else "it writes no rules for Services that are new or changed"
    return Finding(
        about=about,
        summary=f"kube-proxy runs and {what}: {effect}",
        severity=Severity.WARNING if other else None,
        confidence=Confidence.LIKELY if other else Confidence.CERTAIN,
        would_disprove=f"{other} sends to Services, and the rules of kube-proxy are not used" if other else "",
        evidence=(quote_line(tail, fault.index, f"{fault.count} such lines"),),
        affects=(ref(pod),),
        fixes=fixes,
        commands=(look_at_log(pod, _NAME, previous=False, why="what it cannot read"),),
    )


def _settings(pod: Pod, about: Ref) -> Ref:
    """The ConfigMap with its kubeconfig."""
    names = (row.config_map.name for row in pod.spec.volumes or () if row.config_map is not None)
    name = next(names, "")
    return Ref("ConfigMap", pod.namespace, name) if name else about
