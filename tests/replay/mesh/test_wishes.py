"""Who asks for a sidecar, and which label was meant."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.control import MutatingWebhookConfiguration
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.injection import Call
from kubedoctor.replay.mesh.wishes import label_meant, wish_of


def thing(struct: type[Any], labels: dict[str, str], annotations: dict[str, str] | None = None) -> Any:
    return msgspec.convert({"metadata": {"name": "x", "labels": labels, "annotations": annotations or {}}}, struct)


INJECT = "sidecar.istio.io/inject"
ENABLED = {"istio-injection": "enabled"}


@pytest.mark.parametrize(
    ("space", "pod", "annotations", "expected"),
    [
        ({}, {}, {}, None),
        (ENABLED, {}, {}, "metadata.labels[istio-injection]"),
        ({"istio.io/rev": "canary"}, {}, {}, "metadata.labels[istio.io/rev]"),
        ({"istio-injection": "disabled", "istio.io/rev": "canary"}, {}, {}, None),
        (ENABLED, {INJECT: "false"}, {}, None),
        (ENABLED, {}, {INJECT: "false"}, None),
        # The label counts, the annotation only where there is none.
        (ENABLED, {INJECT: "false"}, {INJECT: "true"}, None),
        ({}, {INJECT: "true"}, {INJECT: "false"}, f"metadata.labels[{INJECT}]"),
        ({}, {}, {INJECT: "true"}, f"metadata.annotations[{INJECT}]"),
        ({}, {"istio.io/rev": "canary"}, {}, "metadata.labels[istio.io/rev]"),
        ({**ENABLED, "istio.io/dataplane-mode": "ambient"}, {}, {}, None),
        (ENABLED, {"istio.io/dataplane-mode": "none"}, {}, None),
    ],
)
def test_wish(space: dict[str, str], pod: dict[str, str], annotations: dict[str, str], expected: str | None) -> None:
    wish = wish_of(thing(Pod, pod, annotations), thing(Namespace, space))
    assert (wish.path if wish is not None else None) == expected


def call(revision: str, tag: str = "") -> Call:
    labels = {"istio.io/rev": revision, **({"istio.io/tag": tag} if tag else {})}
    return Call(thing(MutatingWebhookConfiguration, labels), calls=False, reason="")


@pytest.mark.parametrize(
    ("labels", "calls", "expected"),
    [
        ({"istio-injection": "true"}, (call("default"),), "istio-injection=enabled"),
        (ENABLED, (call("1-27-0"),), "istio.io/rev=1-27-0"),
        (ENABLED, (call("1-27-0"), call("1-28-0")), ""),
        ({"istio.io/rev": "prd"}, (call("1-27-0"), call("1-28-0", "prod")), "istio.io/rev=prod"),
        ({"istio.io/rev": "x"}, (), ""),
    ],
)
def test_label_meant(labels: dict[str, str], calls: tuple[Call, ...], expected: str) -> None:
    assert label_meant(labels, calls) == expected
