"""Faults of images and their registries, each in a namespace of its own."""

from __future__ import annotations

from tests.real.cluster.layout import REGISTRY
from tests.real.recording.fault import Fault, waits
from tests.real.recording.parts import CHECKOUT, initial_image, one

IMAGES = (
    one(
        "image-digest-unknown",
        "An image by a digest that the registry does not have.",
        "image-not-found",
        "The registry has no such digest.",
        waits("checkout", "ImagePullBackOff"),
        "serve",
        container={"image": f"{REGISTRY}/checkout@sha256:{'0' * 63}1"},
    ),
    one(
        "image-rate-limit",
        "The registry limits pulls.",
        "image-rate-limit",
        "The registry's pull limit is reached.",
        waits("checkout", "ImagePullBackOff"),
        "serve",
        container={"image": f"{REGISTRY}/busy/checkout:1.4.2"},
    ),
    one(
        "image-denied",
        "The registry denies the access.",
        "image-denied",
        "The registry refuses the access.",
        waits("checkout", "ImagePullBackOff"),
        "serve",
        container={"image": f"{REGISTRY}/secret/checkout:1.4.2"},
    ),
    one(
        "image-registry-broken",
        "The registry answers 503.",
        "image-registry",
        "The registry is not available (503).",
        waits("checkout", "ImagePullBackOff"),
        "serve",
        container={"image": f"{REGISTRY}/broken/checkout:1.4.2"},
    ),
    one(
        "image-registry-refuses",
        "Nothing listens on the registry's port.",
        "image-registry",
        "The connection to port 5001 is refused.",
        waits("checkout", "ImagePullBackOff"),
        "serve",
        container={"image": "registry.shop.internal:5001/checkout:1.4.2"},
    ),
    one(
        "image-registry-without-tls",
        "A registry that speaks HTTP and is asked by HTTPS.",
        "image-registry",
        "The registry speaks HTTP; the node asks by HTTPS.",
        waits("checkout", "ImagePullBackOff"),
        "serve",
        container={"image": "172.30.0.2:5000/checkout:1.4.2"},
    ),
    Fault(
        "image-of-an-init-container",
        "The init container's image does not exist.",
        "image-not-found",
        "The repository migrations does not exist.",
        CHECKOUT,
        initial_image,
        waits("checkout", "ImagePullBackOff"),
    ),
)
