"""A change of a pod, made in the template that it came from, does the same to the next pod, or is not made at all."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster import CronJob, Deployment, Pod, Service
from kubedoctor.cluster.changes import Path, Step
from kubedoctor.cluster.relations.templates import steps_in_template

ADDED = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}
TEMPLATE: dict[str, Any] = {
    "containers": [
        {"name": "app", "resources": {"requests": {"cpu": "1"}}, "ports": [{"containerPort": 80, "hostPort": 80}]}
    ],
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "team", "operator": "Exists"}],
    "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
}


def pod(**more: Any) -> Pod:
    """As admission leaves it: a sidecar first, a token's volume, a toleration, and requests of a LimitRange."""
    spec = {
        **TEMPLATE,
        "containers": [{"name": "proxy", "resources": {"requests": {"cpu": "2"}}}, *TEMPLATE["containers"]],
        "tolerations": [ADDED, *TEMPLATE["tolerations"]],
        "volumes": [{"name": "token"}, *TEMPLATE["volumes"]],
        **more,
    }
    return msgspec.convert({"metadata": {"name": "web-1", "namespace": "shop"}, "spec": spec}, Pod)


def deployment() -> Deployment:
    return msgspec.convert({"metadata": {"name": "web"}, "spec": {"template": {"spec": TEMPLATE}}}, Deployment)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("containers", 1, "ports", 0, "hostPort"), ("containers", 0, "ports", 0, "hostPort")),
        (("volumes", 1, "persistentVolumeClaim", "claimName"), ("volumes", 0, "persistentVolumeClaim", "claimName")),
        (("tolerations", 1), ("tolerations", 0)),
        (("tolerations", "-"), ("tolerations", "-")),
        (("nodeSelector", "disk"), ("nodeSelector", "disk")),
        (("nodeSelector", "zone"), ("nodeSelector", "zone")),
        (("containers", 0, "resources", "requests", "cpu"), None),
        (("tolerations", 0), None),
        (("volumes", 0), None),
    ],
)
def test_the_same_place_in_the_template(path: Path, place: Path | None) -> None:
    (*steps,) = steps_in_template([Step(("spec", *path), "x")], pod(), deployment())
    assert [step.path for step in steps] == ([] if place is None else [("spec", "template", "spec", *place)])
    assert all(step.value == "x" for step in steps)


def test_what_is_another_in_the_template_is_not_removed() -> None:
    steps = [Step(("spec", "nodeSelector", "disk"), remove=True)]
    assert steps_in_template(steps, pod(), deployment())
    assert not steps_in_template(steps, pod(nodeSelector={"disk": "hdd"}), deployment())


def test_an_amount_is_set_whatever_the_template_asks_for() -> None:
    larger = [{"name": "app", "resources": {"requests": {"cpu": "3"}}}]
    path = ("spec", "containers", 0, "resources", "requests", "cpu")
    assert steps_in_template([Step(path, "500m")], pod(containers=larger), deployment())
    assert not steps_in_template([Step(path, remove=True)], pod(containers=larger), deployment())


def test_the_template_of_a_cron_job() -> None:
    spec = {"jobTemplate": {"spec": {"template": {"spec": TEMPLATE}}}}
    nightly = msgspec.convert({"metadata": {"name": "nightly"}, "spec": spec}, CronJob)
    (step,) = steps_in_template([Step(("spec", "nodeSelector", "disk"), "hdd")], pod(), nightly)
    assert step.path == ("spec", "jobTemplate", "spec", "template", "spec", "nodeSelector", "disk")


def test_what_has_no_template() -> None:
    service = msgspec.convert({"metadata": {"name": "web"}}, Service)
    assert steps_in_template([Step(("spec", "nodeSelector"), remove=True)], pod(), service) == ()
