"""Why an image was not pulled, from the message of the kubelet (pkg/kubelet/images, v1.37) and the container runtime."""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.containers import ContainerStateWaiting
from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.messages.wrappers import without_wrappers

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
    PULLS_OF_NODE = enum.auto()  # the kubelet's own limit of pulls a second
    NO_SUCH_HOST = enum.auto()
    REFUSED = enum.auto()
    TIMEOUT = enum.auto()
    CERTIFICATE = enum.auto()
    PLAIN_HTTP = enum.auto()
    SERVER_ERROR = enum.auto()
    TRANSFER = enum.auto()
    WEB_PAGE = enum.auto()  # instead of the image
    STORAGE_DENIED = enum.auto()  # not the registry refuses, but the store of its layers
    FORMAT = enum.auto()
    SHORT_NAME = enum.auto()
    SIGNATURE = enum.auto()
    NO_SPACE = enum.auto()
    INVALID_NAME = enum.auto()
    NEVER_PULL = enum.auto()
    UNKNOWN = enum.auto()


_PROBLEMS = {
    MessageClass.IMAGE_NOT_FOUND: PullProblem.NOT_FOUND,
    MessageClass.IMAGE_RATE_LIMITED: PullProblem.RATE_LIMIT,
    MessageClass.IMAGE_CERTIFICATE: PullProblem.CERTIFICATE,
    MessageClass.IMAGE_PLATFORM: PullProblem.NO_PLATFORM,
    MessageClass.IMAGE_FORMAT: PullProblem.FORMAT,
    MessageClass.IMAGE_SHORT_NAME: PullProblem.SHORT_NAME,
    MessageClass.IMAGE_SIGNATURE: PullProblem.SIGNATURE,
    MessageClass.IMAGE_TRANSFER: PullProblem.TRANSFER,
    MessageClass.IMAGE_DISK_FULL: PullProblem.NO_SPACE,
    MessageClass.IMAGE_PLAIN_HTTP: PullProblem.PLAIN_HTTP,
    MessageClass.IMAGE_INVALID_NAME: PullProblem.INVALID_NAME,
    MessageClass.IMAGE_NEVER_PULL: PullProblem.NEVER_PULL,
    MessageClass.IMAGE_REGISTRY_ERROR: PullProblem.SERVER_ERROR,
}
_ABSENT_TOO = compiled_later(
    r"pull access denied|may require|insufficient_scope|requested access to the resource is denied", re.IGNORECASE
)
_WEB_PAGE = compiled_later(r"media ?type:? \"?text/html|text/html", re.IGNORECASE)
_STORAGE = compiled_later(r"https?://(?P<host>[^/\s\"?]+)/(?!v2/)\S*?: \"?40[13]\b")
_OF_THE_LOGIN = compiled_later(r"oauth|token|authoriz", re.IGNORECASE)
_LOOKUP = compiled_later(
    r"lookup (?P<name>[\w.-]+)(?: on \[?(?P<server>[0-9a-fA-F.:]+?)\]?:53)?: (?:(?:read|dial|write) (?:udp|tcp)\S* \S+: )?"
    r"(?P<error>[^:\n]+)"
)
_RESOLVER_FAILED = compiled_later(r"[Tt]emporary failure|[Tt]ry again|timeout|refused|misbehaving|unreachable")
_BACK_OFF_ONLY = compiled_later(r'^Back-off pulling image "[^"]*"$')


def reason_in(message: str) -> str:
    """A message without the words of every failed pull; empty if nothing else remains."""
    return "" if _BACK_OFF_ONLY.match(message) else without_wrappers(message)


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
    reading = read_message(Message(text=message, reason="ErrImagePull", kind="Pod"))
    if reading is None or not reading.known:
        return PullProblem.UNKNOWN
    if _WEB_PAGE.search(message):
        return PullProblem.WEB_PAGE
    if reading.message_class is MessageClass.IMAGE_DENIED:
        if storage_host(message):
            return PullProblem.STORAGE_DENIED
        return PullProblem.DENIED_OR_ABSENT if _ABSENT_TOO.search(message) else PullProblem.UNAUTHORIZED
    if reading.message_class is MessageClass.IMAGE_RATE_LIMITED and reading.fault is Culprit.NODE:
        return PullProblem.PULLS_OF_NODE
    if reading.message_class is MessageClass.IMAGE_UNREACHABLE:
        if reading.fault is Culprit.NODE:
            return PullProblem.NO_SUCH_HOST  # The name is resolved there.
        return PullProblem.REFUSED if "connection refused" in message else PullProblem.TIMEOUT
    return _PROBLEMS.get(reading.message_class, PullProblem.UNKNOWN)


class UnresolvedRegistry(NamedTuple):
    """A name that the node did not resolve. server: its DNS server, empty where the message names none; error: its answer."""

    name: str
    server: str
    error: str

    @property
    def by_the_resolver(self) -> bool:
        """The node's resolver failed; it did not answer that no such name exists."""
        return "no such host" not in self.error and (
            bool(self.server) or _RESOLVER_FAILED.search(self.error) is not None
        )

    @property
    def resolver(self) -> str:
        return f"its DNS server {self.server}" if self.server else "its resolver"

    def clause(self, registry: str) -> str:
        """` (registry-1.docker.io, DNS server 127.0.0.53: server misbehaving)`."""
        named = self.name if self.name != registry else ""
        server = f"DNS server {self.server}: {self.error}" if self.server else self.error
        return f" ({', '.join(filter(None, (named, server)))})"


def failed_lookup(message: str) -> UnresolvedRegistry | None:
    """As Go's resolver writes it (`net.DNSError`); None for other resolvers."""
    found = _LOOKUP.search(message)
    if found is None:
        return None
    return UnresolvedRegistry(found["name"], found["server"] or "", " ".join(found["error"].split()).rstrip('".'))


def storage_host(message: str) -> str:
    """The host that refused an image's layers, where that is not the registry itself: registries redirect to a store."""
    match = _STORAGE.search(message)
    return match["host"] if match is not None and not _OF_THE_LOGIN.search(message[: match.start()]) else ""
