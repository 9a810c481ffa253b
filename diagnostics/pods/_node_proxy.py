"""kube-proxy on a pod's node that cannot write its rules: then no connection of the pod to a Service succeeds."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, LogTail, Pod, visible_end
from kubedoctor.findings import Confidence, Finding, Fix, look_at_log, look_at_pod, quote, quote_line, ref
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.log_lines import parse_line
from kubedoctor.replay.services.proxy_log import rules_not_written

_NAMESPACE: Final = "kube-system"
_LABEL: Final = "k8s-app"
_NAME: Final = "kube-proxy"
_LONGEST: Final = 200
_UNANSWERED: Final = frozenset({LogFault.CONNECTION_TIMEOUT, LogFault.CONNECTION_REFUSED, LogFault.NAME_NOT_RESOLVED})


def proxy_without_rules(pod: Pod, story: Story, ended: datetime | None, cluster: Cluster) -> Finding | None:
    """Asked only where the pod could not reach a Service, or Services cannot be seen. None where the log of
    kube-proxy shows no failure around the end of the run."""
    unseen = any(gap.kind == "Service" for gap in cluster.gaps)
    to_a_service = unseen or any(name.kind == "Service" for name in story.because_of)
    if story.cause is None or story.cause.fault not in _UNANSWERED or not to_a_service or not pod.spec.node_name:
        return None
    here = (one for one in cluster.maybe.labelled(Pod, _NAMESPACE, f"{_LABEL}={_NAME}") if isinstance(one, Pod))
    proxies = (one for one in here if one.labels.get(_LABEL) == _NAME and one.spec.containers)
    proxy = next((one for one in proxies if one.spec.node_name == pod.spec.node_name), None)
    container = proxy.spec.containers[0].name if proxy is not None else ""
    tail = cluster.log_tail(proxy, container) if proxy is not None else None
    found = rules_not_written(tail.lines, ended or cluster.taken_at) if tail is not None else ()
    return _finding(proxy, container, tail, found) if proxy is not None and tail is not None and found else None


def _finding(proxy: Pod, container: str, tail: LogTail, found: tuple[int, ...]) -> Finding:
    answer = found[1:2] or found
    said = " ".join(parse_line(tail.lines[answer[0]]).message.split())
    node = proxy.spec.node_name
    return Finding(
        about=ref(proxy),
        summary=f"kube-proxy on node {node} cannot write its rules: {visible_end(said, _LONGEST)}; connections of the node's"
        " pods to Services fail",
        confidence=Confidence.LIKELY,
        evidence=(
            *(quote_line(tail, index, "what it logs of its rules") for index in found),
            quote(proxy, "spec.nodeName", "the node of the pod that cannot connect"),
        ),
        fixes=(
            Fix(
                f"Give node {node} the iptables version and kernel modules that kube-proxy uses, or set a mode of kube-proxy"
                " that the node supports"
            ),
        ),
        commands=(
            look_at_log(proxy, container, previous=False, why="why it cannot write its rules"),
            look_at_pod(proxy, "its image and node"),
        ),
        aspect="rules",
    )
