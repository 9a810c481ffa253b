"""Why an image was not pulled, from the message of the kubelet (pkg/kubelet/images, v1.37) and the container runtime."""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

from kubedoctor.cluster.kinds.containers import ContainerStateWaiting
from kubedoctor.replay.kubelet.messages import MessageKinds

PULL_REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)


class PullProblem(enum.Enum):
    """Why an image was not pulled."""

    NOT_FOUND = enum.auto()
    NO_PLATFORM = enum.auto()
    UNAUTHORIZED = enum.auto()
    DENIED_OR_ABSENT = enum.auto()  # the registry does not distinguish them
    RATE_LIMIT = enum.auto()
    NO_SUCH_HOST = enum.auto()
    REFUSED = enum.auto()
    TIMEOUT = enum.auto()
    CERTIFICATE = enum.auto()
    PLAIN_HTTP = enum.auto()
    SERVER_ERROR = enum.auto()
    NO_SPACE = enum.auto()
    INVALID_NAME = enum.auto()
    NEVER_PULL = enum.auto()
    UNKNOWN = enum.auto()


class ImageName(NamedTuple):
    """`registry` is `docker.io` where the name has none; `tag` and `digest` may be empty."""

    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def without_tag(self) -> str:
        return f"{self.registry}/{self.repository}"


_MESSAGES = MessageKinds(
    (
        PullProblem.INVALID_NAME,
        r"couldn't parse image name|invalid reference format|failed to apply default image tag",
    ),
    (PullProblem.NEVER_PULL, r"not present with pull policy of never"),
    (PullProblem.RATE_LIMIT, r"toomanyrequests|too many requests|\b429\b|rate limit"),
    (PullProblem.NO_SPACE, r"no space left on device"),
    (PullProblem.NO_PLATFORM, r"no match for platform|no matching manifest|does not match the specified platform"),
    (
        PullProblem.NO_SUCH_HOST,
        r"no such host|server misbehaving|temporary failure in name resolution|lookup \S+ on \S+: |lookup \S+: i/o timeout",
    ),
    (PullProblem.PLAIN_HTTP, r"server gave HTTP response to HTTPS client"),
    (PullProblem.CERTIFICATE, r"x509: |certificate (?:signed by unknown|has expired|is not trusted)|tls: "),
    (PullProblem.REFUSED, r"connection refused"),
    (
        PullProblem.DENIED_OR_ABSENT,
        r"pull access denied|repository does not exist or may require|insufficient_scope|requested access to the resource is denied",
    ),
    (
        PullProblem.UNAUTHORIZED,
        r"\b401\b|\b403\b|unauthorized|forbidden|no basic auth credentials|authentication required|"
        r"failed to fetch (?:anonymous|oauth) token|authorization failed|denied: ",
    ),
    (PullProblem.NOT_FOUND, r"not found|manifest unknown|name unknown|\b404\b|does not exist"),
    (
        PullProblem.TIMEOUT,
        r"i/o timeout|deadline exceeded|TLS handshake timeout|Client\.Timeout|no route to host|network is unreachable|"
        r"connection reset|timed out|\bEOF\b",
    ),
    (PullProblem.SERVER_ERROR, r"\b50[0-9]\b|registry is unavailable|internal server error|bad gateway"),
)
_DOMAIN = re.compile(r"^(?:localhost|.*[.:].*)$")
_BACK_OFF_ONLY = re.compile(r'^Back-off pulling image "[^"]*"$')
_WRAPPER = re.compile(
    r'^(?:(?:Back-off pulling image|Failed to pull image|failed to pull and unpack image|Failed to inspect image) "[^"]*"(?:: )?|Err\w+: |rpc error: code = \w+ desc = )+'
)


def reason_in(message: str) -> str:
    """A message without the words of every failed pull; empty if nothing else remains."""
    return _WRAPPER.sub("", message).strip()


def read_pull_error(waiting: ContainerStateWaiting, newest_event: str = "") -> PullProblem:
    """The problem that a waiting container's reason and message state.

    newest_event: the message of the newest `Failed to pull image` event, for kubelets before 1.31, whose
    `ImagePullBackOff` repeats no reason.
    """
    if waiting.reason == "InvalidImageName":
        return PullProblem.INVALID_NAME
    if waiting.reason == "ErrImageNeverPull":
        return PullProblem.NEVER_PULL
    message = waiting.message
    if not message or _BACK_OFF_ONLY.match(message):
        message = newest_event
    pull_problem = classify_pull_message(message)
    if pull_problem is PullProblem.UNKNOWN and waiting.reason == "RegistryUnavailable":
        return PullProblem.SERVER_ERROR
    return pull_problem


def classify_pull_message(message: str) -> PullProblem:
    """The problem that a message states; image names in it are not read."""
    text = re.sub(r'(?:image|reference) \\?"[^"]*"', "image", message)
    return _MESSAGES.of(text) or PullProblem.UNKNOWN


def parse_image_name(image: str) -> ImageName:
    """The parts of a reference as the runtime completes it; an invalid reference ends up in `repository`."""
    reference, _, digest = image.partition("@")
    registry, slash, path = reference.partition("/")
    if not slash or not _DOMAIN.match(registry):
        registry, path = "docker.io", reference
    name, colon, tag = path.rpartition(":")
    if not colon or "/" in tag:
        name, tag = path, ""
    if registry == "docker.io" and "/" not in name:
        name = f"library/{name}"
    return ImageName(registry, name, tag, digest)
