"""Webhooks that would be called about the objects of the files and their pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.engine.checking.judging import Judged
from kubedoctor.engine.checking.requests import Requests
from kubedoctor.replay.admission.matching import AdmissionRequest
from kubedoctor.replay.admission.webhooks import matching_webhooks


class WebhookVerdicts(msgspec.Struct, frozen=True):
    """refused: by object, the API server's words where a webhook that must answer cannot be called. pods: of the pods that its
    controller creates. unasked: webhooks whose answer is not known."""

    refused: Mapping[Ref, str]
    pods: Mapping[Ref, str]
    unasked: tuple[str, ...]

    @property
    def gap(self) -> str:
        """As a clause; empty where no webhook would be called."""
        names = listed(self.unasked, 4)
        return f"what webhooks answer, which are not asked: {names}" if names else ""


def webhook_verdicts(found: Sequence[Judged], snapshot: Snapshot) -> WebhookVerdicts:
    """snapshot: the cluster."""
    requests, cluster = Requests(found, snapshot), Cluster(snapshot).maybe
    refused: dict[Ref, str] = {}
    pods: dict[Ref, str] = {}
    unasked: dict[str, None] = {}
    for one in found:
        if one.obj is None:
            continue
        if text := _called(requests.of(one), cluster, unasked):
            refused[one.subject] = f"Internal error occurred: {text}"
            continue
        pod = requests.of_pod(one)
        if pod is not None and (text := _called(pod, cluster, unasked)):
            pods[one.subject] = f"Internal error occurred: {text}"
    return WebhookVerdicts(refused, pods, tuple(sorted(unasked)))


def _called(request: AdmissionRequest, cluster: Cluster, unasked: dict[str, None]) -> str:
    """Why a webhook that must answer cannot be called."""
    for matching in matching_webhooks(request, cluster):
        if matching.refuses:
            return matching.text
        if not matching.why:
            unasked[matching.webhook.name] = None
    return ""
