"""What two pod templates differ in, in the words of a rollout."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.answers.timeline.differences import differences
from kubedoctor.cluster.kinds.pods import PodTemplate


def template(**container: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "app", "image": "shop/web:1", **container}]}}


def said(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    convert = [msgspec.convert(item, PodTemplate) for item in (before, after)]
    return [change.text for change in differences(*convert)]


@pytest.mark.parametrize(
    ("before", "after", "texts"),
    [
        (template(), template(image="shop/web:2"), ["image 1 → 2"]),
        (template(), template(image="other/web:2"), ["image shop/web:1 → other/web:2"]),
        (
            template(image="localhost:5000/web"),
            template(image="localhost:5000/web:2"),
            ["image localhost:5000/web → localhost:5000/web:2"],
        ),
        (
            template(resources={"limits": {"memory": "512Mi"}}),
            template(resources={"limits": {"memory": "256Mi"}}),
            ["limits.memory 512Mi → 256Mi"],
        ),
        (template(), template(resources={"limits": {"memory": "256Mi"}}), ["limits.memory added (256Mi)"]),
        (template(resources={"limits": {"memory": "1Gi"}}), template(), ["limits.memory removed (was 1Gi)"]),
        (
            template(env=[{"name": "LEVEL", "value": "info"}]),
            template(env=[{"name": "LEVEL", "value": "debug"}]),
            ["env[LEVEL] info → debug"],
        ),
        (template(), template(env=[{"name": "DEBUG", "value": "1"}]), ["env[DEBUG] added (1)"]),
        (
            template(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]),
            template(env=[{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]),
            [],
        ),
        (template(command=["run"]), template(command=["run", "--fast"]), ["command run → run --fast"]),
        (
            template(readinessProbe={"httpGet": {"port": 8080, "path": "/ready"}, "periodSeconds": 5}),
            template(),
            ["readinessProbe removed"],
        ),
        (
            template(readinessProbe={"httpGet": {"port": 8080, "path": "/ready"}}),
            template(readinessProbe={"httpGet": {"port": 8081, "path": "/ready"}}),
            ["readinessProbe.httpGet.port 8080 → 8081"],
        ),
        (
            template(),
            {"spec": {"nodeSelector": {"disk": "ssd"}, **template()["spec"]}},
            ["nodeSelector.disk added (ssd)"],
        ),
        (
            template(),
            {"metadata": {"annotations": {"checksum/config": "ab12"}}, **template()},
            ["metadata.annotations.checksum/config added (ab12)"],
        ),
        (template(), {"metadata": {"labels": {"pod-template-hash": "x1"}}, **template()}, []),
        (
            template(),
            {"spec": {"containers": [*template()["spec"]["containers"], {"name": "proxy", "image": "envoy:1"}]}},
            ["container added (envoy:1)"],
        ),
        (template(args=["x" * 100]), template(args=["y" * 100]), ["args changed"]),
        (
            template(env=[{"name": "DB_PASSWORD", "value": "first-secret"}]),
            template(env=[{"name": "DB_PASSWORD", "value": "second-secret"}]),
            [],
        ),
    ],
)
def test_a_change_is_said(before: dict[str, Any], after: dict[str, Any], texts: list[str]) -> None:
    assert said(before, after) == texts


def test_what_breaks_a_workload_most_often_comes_first() -> None:
    before = template(env=[{"name": "A", "value": "1"}], resources={"requests": {"cpu": "1"}})
    after = template(env=[{"name": "A", "value": "2"}], resources={"requests": {"cpu": "2"}}, image="shop/web:2")
    assert said(before, after) == ["image 1 → 2", "env[A] 1 → 2", "requests.cpu 1 → 2"]
