"""Which pods collect metrics is told by their images."""

from __future__ import annotations

import pytest

from kubedoctor.replay.network.scrapers import is_collector


@pytest.mark.parametrize(
    ("image", "collects"),
    [
        ("quay.io/prometheus/prometheus:v3.1.0", True),
        ("victoriametrics/vmagent@sha256:00", True),
        ("prom/prometheus", True),
        ("otel/opentelemetry-collector-contrib:0.120.0", True),
        ("quay.io/prometheus/node-exporter:v1.9.0", False),
        ("shop/prometheus-client-example:1", False),
    ],
)
def test_a_collector_by_its_image(image: str, collects: bool) -> None:
    assert is_collector(image) is collects
