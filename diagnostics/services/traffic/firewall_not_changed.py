"""Firewall of a shared network must be changed by hand.

## What it means
The controller of Google Cloud made the load balancer, and may not open the firewall for it: the network belongs to another
project (Shared VPC). Health checks do not reach the nodes, so the load balancer answers 502, or connections time out.

## Why it happens
- The cluster's service account lacks the right to change firewall rules in the host project.
- The administrators of the network open it themselves, and have not done so yet.

## How to fix it
Let an administrator of the host project run the command of the event, or grant the cluster's service account
`compute.firewalls.*` there.

## References
- https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-shared-vpc#managing_firewall_resources
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.services._controllers import FRESH
from kubedoctor.cluster import Cluster, Event, Ingress, KubernetesObject, Service, visible
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, quote, ref

_REQUIRED: Final = re.compile(r"Firewall change required by (?:security|network) admin: ?`?(?P<line>gcloud [^`]+)`?")
_PROJECT: Final = re.compile(r"--project[ =](?P<project>[\w.:-]+)")
_LONGEST: Final = 300


@diagnostic(
    code="KD2013",
    subject=Service,
    also_subjects=(Ingress,),
    severity=Severity.WARNING,
    reads=(Event,),
    symptoms=("XPN", "LoadBalancerManualChange", "Firewall change required", "502"),
)
def firewall_not_changed(obj: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    if not _has_an_entrance(obj):
        return
    for event in reversed(cluster.events_about(ref(obj))):
        match = _REQUIRED.search(event.message)
        if match is None or event.seen_at is None or cluster.taken_at - event.seen_at > FRESH:
            continue
        project = _PROJECT.search(match["line"])
        where = f" of project {project['project']}" if project is not None else ""
        yield Finding(
            about=ref(obj),
            summary=f"an administrator{where} must open the firewall for the load balancer: {visible(match['line'].strip(), _LONGEST)}",
            evidence=(quote(event, "message", f"event {event.reason}"),),
            confidence=Confidence.LIKELY,
            would_disprove="another firewall rule allows these sources and ports already",
            fixes=(Fix("Let an administrator of the network run the gcloud command of the event"),),
            commands=(Command(ref(obj).describe_command, "its events"),),
        )
        return


def _has_an_entrance(obj: KubernetesObject) -> bool:
    return isinstance(obj, Ingress) or (isinstance(obj, Service) and obj.spec.type == "LoadBalancer")
