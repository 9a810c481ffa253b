"""Messages as containerd, CRI-O, Docker Hub and the kubelet write them."""

from __future__ import annotations

import pytest

from kubedoctor.cluster.kinds.containers import ContainerStateWaiting
from kubedoctor.replay.kubelet.image_errors import (
    PullProblem,
    classify_pull_message,
    read_pull_error,
    reason_in,
)
from kubedoctor.replay.kubelet.image_names import ImageName, parse_image_name


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("rpc error: code = NotFound desc = failed to resolve image: r.io/a:9: not found", PullProblem.NOT_FOUND),
        ("reading manifest 9 in r.io/a: manifest unknown", PullProblem.NOT_FOUND),
        ("no match for platform in manifest: not found", PullProblem.NO_PLATFORM),
        ("unexpected status from HEAD request to https://r.io/v2/: 401 Unauthorized", PullProblem.UNAUTHORIZED),
        ("unexpected status code https://r.io/v2/: 403 Forbidden", PullProblem.UNAUTHORIZED),
        ("no basic auth credentials", PullProblem.UNAUTHORIZED),
        (
            "pull access denied, repository does not exist or may require authorization: server message: "
            "insufficient_scope: authorization failed",
            PullProblem.DENIED_OR_ABSENT,
        ),
        ("429 Too Many Requests - Server message: toomanyrequests: You have reached", PullProblem.RATE_LIMIT),
        ("dial tcp: lookup r.io on 10.0.0.2:53: no such host", PullProblem.NO_SUCH_HOST),
        ("dial tcp: lookup r.io: i/o timeout", PullProblem.NO_SUCH_HOST),
        ("dial tcp 10.0.0.9:443: i/o timeout", PullProblem.TIMEOUT),
        ("net/http: TLS handshake timeout", PullProblem.TIMEOUT),
        ("dial tcp 10.0.0.9:443: connect: connection refused", PullProblem.REFUSED),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", PullProblem.CERTIFICATE),
        ("http: server gave HTTP response to HTTPS client", PullProblem.PLAIN_HTTP),
        ("failed to extract layer: write /x: no space left on device", PullProblem.NO_SPACE),
        ("unexpected status from GET request: 503 Service Unavailable", PullProblem.SERVER_ERROR),
        ("something new", PullProblem.UNKNOWN),
    ],
)
def test_messages(message: str, problem: PullProblem) -> None:
    assert classify_pull_message(message) is problem


def test_the_image_of_a_message_is_not_read() -> None:
    """An image may be named after what is searched for."""
    message = (
        'failed to pull image "r.io/unauthorized/404:not-found": dial tcp 10.0.0.9:443: connect: connection refused'
    )
    assert classify_pull_message(message) is PullProblem.REFUSED


def test_a_kubelet_before_1_31_repeats_no_reason() -> None:
    waiting = ContainerStateWaiting(reason="ImagePullBackOff", message='Back-off pulling image "r.io/a:9"')
    assert read_pull_error(waiting) is PullProblem.UNKNOWN
    assert read_pull_error(waiting, 'Failed to pull image "r.io/a:9": manifest unknown') is PullProblem.NOT_FOUND


@pytest.mark.parametrize("reason", ["InvalidImageName", "ErrImageNeverPull"])
def test_the_reason_decides_without_a_message(reason: str) -> None:
    wanted = {"InvalidImageName": PullProblem.INVALID_NAME, "ErrImageNeverPull": PullProblem.NEVER_PULL}
    assert read_pull_error(ContainerStateWaiting(reason=reason)) is wanted[reason]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("nginx", ImageName("docker.io", "library/nginx", "", "")),
        ("shop/web:1", ImageName("docker.io", "shop/web", "1", "")),
        ("r.io:5000/shop/web", ImageName("r.io:5000", "shop/web", "", "")),
        ("localhost/web:1", ImageName("localhost", "web", "1", "")),
        ("r.io/web:1@sha256:ab", ImageName("r.io", "web", "1", "sha256:ab")),
    ],
)
def test_parts_of_a_name(image: str, name: ImageName) -> None:
    """As github.com/distribution/reference normalises them."""
    assert parse_image_name(image) == name


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ('Back-off pulling image "r.io/a:9"', ""),
        (
            'Back-off pulling image "r.io/a:9": ErrImagePull: short-name "a" did not resolve',
            'short-name "a" did not resolve',
        ),
        ('Failed to pull image "a:9": rpc error: code = Unknown desc = missing parent', "missing parent"),
        ('Failed to inspect image "": rpc error: code = Unknown desc = short name', "short name"),
        ('failed to pull and unpack image "docker.io/a:9": missing parent', "missing parent"),
        ("missing parent", "missing parent"),
        ("", ""),
    ],
)
def test_the_reason_in_a_message(message: str, reason: str) -> None:
    assert reason_in(message) == reason
