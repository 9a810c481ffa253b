"""Faults of autoscalers. Those of `MEASURED` happen where metrics are served: each container uses 400m CPU."""

from __future__ import annotations

import json

from tests.real.cluster.layout import Document, image
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault, Test
from tests.real.workloads import autoscaler, deployment, manifest

GROUP = "kafka.acme.example"
SCALER = (("HorizontalPodAutoscaler", "checkout"),)


def stated(condition: str, status: str, reason: str) -> Test:
    """The autoscaler has the condition with this status and reason."""
    return lambda at: any(
        (row["type"], row["status"], row["reason"]) == (condition, status, reason)
        for row in at.cluster.get("hpa", "checkout", at.name).get("status", {}).get("conditions", [])
    )


def of_a_kind_without_selector(at: Namespace) -> None:
    """Its definition names no labelSelectorPath."""
    any_fields = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": any_fields}}
    names = {"kind": "ConsumerGroup", "plural": "consumergroups", "singular": "consumergroup"}
    spec: Document = {"group": GROUP, "scope": "Namespaced", "names": names}
    spec |= {"versions": [{**version, "subresources": {"scale": scale, "status": {}}}]}
    definition = f"consumergroups.{GROUP}"
    at.apply(manifest("CustomResourceDefinition", definition, None, "apiextensions.k8s.io/v1", spec=spec))
    at.cluster.kubectl("wait", "--for=condition=Established", f"crd/{definition}", "--timeout=60s")
    scaler = autoscaler(at.name, "checkout", "checkout")
    scaler["spec"]["scaleTargetRef"] = {"apiVersion": f"{GROUP}/v1", "kind": "ConsumerGroup", "name": "checkout"}
    at.apply(manifest("ConsumerGroup", "checkout", at.name, f"{GROUP}/v1", spec={"replicas": 1}), scaler)
    status = json.dumps({"status": {"replicas": 1}})
    patch = ("--subresource=status", "--type=merge", "-p", status)
    at.cluster.kubectl("patch", definition, "checkout", *patch, "-n", at.name)


def of_a_daemon_set(namespace: str) -> list[Document]:
    item = deployment("checkout", namespace)
    item["kind"] = "DaemonSet"
    del item["spec"]["replicas"]
    scaler = autoscaler(namespace, "checkout", "checkout")
    scaler["spec"]["scaleTargetRef"]["kind"] = "DaemonSet"
    return [item, scaler]


def limited(namespace: str) -> list[Document]:
    scaler = autoscaler(namespace, "checkout", "checkout")
    scaler["spec"]["maxReplicas"] = 2
    return [deployment("checkout", namespace, replicas=2), scaler]


def without_a_request(namespace: str) -> list[Document]:
    item = deployment("checkout", namespace)
    agent = {"name": "log-shipper", "image": image("checkout"), "args": ["sleep"]}
    item["spec"]["template"]["spec"]["containers"].append(agent)
    return [item, autoscaler(namespace, "checkout", "checkout")]


AUTOSCALERS = (
    Fault(
        "autoscaler-of-a-kind-without-selector",
        "An autoscaler of a custom resource whose scale subresource names no selector.",
        "hpa-no-selector",
        "The definition of ConsumerGroup names no labelSelectorPath, so the autoscaler finds no pods.",
        SCALER,
        lambda _: [],
        stated("ScalingActive", "False", "InvalidSelector"),
        steps=of_a_kind_without_selector,
    ),
    Fault(
        "autoscaler-of-a-daemon-set",
        "An autoscaler of a DaemonSet, which has no number of replicas.",
        "hpa-target",
        "A DaemonSet has no scale subresource.",
        SCALER,
        of_a_daemon_set,
        stated("AbleToScale", "False", "FailedGetScale"),
        settle=35,
    ),
)
MEASURED = (
    Fault(
        "autoscaler-at-its-maximum",
        "The load demands more pods than maxReplicas allows.",
        "hpa-maximum",
        "Each pod uses 400m of 50m requested, the target is 80 %: the autoscaler would have 20 pods and may have 2.",
        SCALER,
        limited,
        stated("ScalingLimited", "True", "TooManyReplicas"),
        settle=10,
    ),
    Fault(
        "autoscaler-without-a-request",
        "A container beside the program has no CPU request.",
        "hpa-no-request",
        "Container log-shipper has no CPU request, so no utilization can be computed.",
        (*SCALER, ("Deployment", "checkout")),
        without_a_request,
        stated("ScalingActive", "False", "FailedGetResourceMetric"),
        settle=35,
    ),
)
