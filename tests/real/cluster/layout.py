"""Where things are: the cache folder, the addresses inside the namespaces, the names of the binaries."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

CACHE = Path(os.environ.get("REALCLUSTER_CACHE", "~/.cache/kubedoctor/realcluster")).expanduser()
BINARIES = CACHE / "bin"
RECIPES = CACHE / "built"
"""What each binary was built from: it is built again when its recipe differs."""
DEBIAN_ROOT = CACHE / "root"
"""Debian packages unpacked here: runc, the network plug-ins, nftables and their libraries."""
POLICY_ROOT = CACHE / "policy-root"
"""Debian packages unpacked here for the image of the policy engine: iptables, ipset and all that they load."""
INGRESS_NGINX_TEMPLATE = CACHE / "nginx.tmpl"
"""Of which ingress-nginx writes nginx.conf; comes with its module."""
GATEWAY_KINDS = CACHE / "gateway-kinds.yaml"
"""The CustomResourceDefinitions of the Gateway API's standard channel, as its module has them."""
SNAPSHOT_KINDS = CACHE / "snapshot-kinds.yaml"
"""The CustomResourceDefinitions of snapshots, as the module of their client has them."""
IMAGES = CACHE / "images"
RUNS = CACHE / "run"

PROJECT = Path(__file__).resolve().parents[3]
GO_MODULES = Path(__file__).resolve().parent / "go"

KUBERNETES_VERSION = "v1.37.2"
CONTAINERD_VERSION = "v2.4.2"
COREDNS_VERSION = "1.14.7"
KUBE_ROUTER_VERSION = "v2.2.1"
INGRESS_NGINX_VERSION = "v1.11.1"
SIDECAR_VERSIONS = {
    "csi-provisioner": "v6.4.0",
    "csi-attacher": "v4.13.0",
    "csi-resizer": "v2.3.0",
    "csi-snapshotter": "v8.7.0",
    "snapshot-controller": "v8.7.0",
}

KUBECTL = Path(os.environ.get("KUBECTL", BINARIES / "kubectl"))
"""kubectl of the cluster's own version, so that neither the results nor the timings depend on the machine's."""
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager")
NODE = (
    "containerd",
    "containerd-shim-runc-v2",
    "kubelet",
    "kube-proxy",
    "coredns",
    "kube-router",
    "nginx-ingress-controller",
    "nginx",
    "app",
    "runc",
    "kubectl",
)

NODE_NAME = "node-1"
NODE_ADDRESS = "172.30.0.2"
"""Exists only inside the private network namespace."""
SERVICE_RANGE, POD_RANGE = "10.96.0.0/16", "10.244.0.0/16"
API_SERVICE_ADDRESS, DNS_SERVICE_ADDRESS = "10.96.0.1", "10.96.0.10"
SECURE_PORT = 6443
METRICS_PORT = 4443
REGISTRY = "registry.shop.internal:5000"

Document = dict[str, Any]
"""A Kubernetes object or a configuration file as plain JSON data."""


def image(name: str, tag: str = "1.4.2") -> str:
    """The full reference of an image in the registry inside the namespaces."""
    return f"{REGISTRY}/{name}:{tag}"


def control_group(run: str) -> str:
    """The control group, relative to each mounted controller, that holds all containers of one run."""
    return f"realcluster-{run}"
