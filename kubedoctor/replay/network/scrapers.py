"""Which pods collect metrics from others."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import finished

_IMAGES: Final = re.compile(
    r"(?:^|/)(?:prometheus|prom-label-proxy|vmagent|vmsingle|alloy|agent|opentelemetry-collector[\w-]*|telegraf|mimir)(?:[:@]|$)"
)


def is_collector(image: str) -> bool:
    """Whether the image is one of a program that collects metrics, such as Prometheus."""
    return _IMAGES.search(image) is not None


def collects_metrics(pod: Pod) -> bool:
    """It runs such a program."""
    return not finished(pod) and any(is_collector(container.image) for container in pod.spec.containers)
