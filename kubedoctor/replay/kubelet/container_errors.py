"""Why the kubelet or the runtime could not create or start a container, by their messages (pkg/kubelet/kuberuntime,
v1.37)."""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

from kubedoctor.replay.kubelet.messages import MessageKinds


class Missing(NamedTuple):
    """A ConfigMap or Secret, or a key of one, that a message names. `namespace` is empty where the message has none."""

    kind: str
    name: str
    key: str = ""
    namespace: str = ""


class StartProblem(enum.Enum):
    """Why a program could not be started."""

    NOT_FOUND = enum.auto()
    NOT_EXECUTABLE = enum.auto()
    WRONG_FORMAT = enum.auto()
    NO_COMMAND = enum.auto()
    MOUNT = enum.auto()
    WORKING_DIRECTORY = enum.auto()
    MEMORY_TOO_SMALL = enum.auto()
    USER = enum.auto()
    RUNTIME = enum.auto()


class SecurityProblem(enum.Enum):
    """The security setting that prevents a container from starting."""

    ROOT_IMAGE = enum.auto()
    ROOT_USER = enum.auto()
    NAMED_USER = enum.auto()
    SECCOMP = enum.auto()
    APPARMOR = enum.auto()
    CAPABILITY = enum.auto()
    SYSCTL = enum.auto()
    HOST_USERS = enum.auto()


_OBJECT = re.compile(r'\b(configmap|secret)s? "([^"]+)" not found', re.IGNORECASE)
_KEY = re.compile(r"couldn't find key (\S+) in (ConfigMap|Secret) ([^/\s]+)/(\S+)")
_VOLUME_KEY = re.compile(r"references non-existent (config|secret) key: (\S+)")
_KINDS = {"configmap": "ConfigMap", "secret": "Secret", "config": "ConfigMap"}
_VOLUME = re.compile(r'for volume "([^"]+)"')
_COMMAND = re.compile(r'exec: \\?"([^"\\]+)\\?"')

_WRAPPERS = re.compile(
    r"^(?:(?:rpc error: code = \w+ desc =|failed to (?:create|start) containerd (?:task|container)(?: \"[^\"]*\")?:|"
    r"failed to create shim task:|failed to (?:create|start) container(?: \"?[\w.-]+\"?)?:|OCI runtime \w+ failed:|"
    r"container create failed:|runc (?:create|run|start) failed:|unable to start container process:|"
    r"error during container init:|failed to generate (?:container )?(?:\"[^\"]*\" )?spec:|Error response from daemon:) ?)+"
)

_START = MessageKinds(
    (StartProblem.WRONG_FORMAT, r"exec format error"),
    (StartProblem.NO_COMMAND, r"no command specified"),
    (StartProblem.WORKING_DIRECTORY, r"chdir to cwd|cwd \(|working directory"),
    (StartProblem.MEMORY_TOO_SMALL, r"container init was OOM-killed|memory limit too low|minimum memory limit"),
    (StartProblem.USER, r"unable to find user|no matching entries in passwd|unable to find group|no users found"),
    (
        StartProblem.MOUNT,
        r"error mounting|failed to prepare subPath|not a directory: Are you trying to mount|mount .*: not a directory",
    ),
    (
        StartProblem.NOT_FOUND,
        r"executable file not found|exec: .*no such file or directory|stat .*: no such file or directory",
    ),
    (StartProblem.NOT_EXECUTABLE, r"exec: .*(?:permission denied|is a directory)"),
)
_SECURITY = MessageKinds(
    (SecurityProblem.ROOT_IMAGE, r"runAsNonRoot and image will run as root"),
    (SecurityProblem.NAMED_USER, r"runAsNonRoot and image has non-numeric user"),
    (SecurityProblem.ROOT_USER, r"runAsUser breaks non-root policy|container's runAsUser .*non-?root"),
    (SecurityProblem.SECCOMP, r"seccomp"),
    (SecurityProblem.APPARMOR, r"apparmor"),
    (SecurityProblem.SYSCTL, r"sysctl"),
    (SecurityProblem.CAPABILITY, r"unknown capability|capability .*(?:not|invalid)"),
    (SecurityProblem.HOST_USERS, r"user ?namespaces? .*not support|idmap"),
)


def missing_reference(message: str) -> Missing | None:
    """The ConfigMap, Secret or key that a message reports missing."""
    if key := _KEY.search(message):
        return Missing(key.group(2), key.group(4), key.group(1), key.group(3))
    if match := _OBJECT.search(message):
        return Missing(_KINDS[match.group(1).lower()], match.group(2))
    if volume_key := _VOLUME_KEY.search(message):
        return Missing(_KINDS.get(volume_key.group(1), "Secret"), "", volume_key.group(2))
    return None


def volume_named(message: str) -> str:
    """The pod's volume that a mount or attach message names; empty if none."""
    match = _VOLUME.search(message)
    return match.group(1) if match else ""


def command_named(message: str) -> str:
    """The program that the runtime could not execute; empty if the message names none."""
    match = _COMMAND.search(message)
    return match.group(1) if match else ""


def reason_in(message: str) -> str:
    """The end of a runtime message, without the wrappers of every failed start."""
    return _WRAPPERS.sub("", " ".join(message.split()))


def start_problem(message: str) -> StartProblem:
    """Why the runtime could not start a program."""
    return _START.of(message) or StartProblem.RUNTIME


def security_problem(message: str) -> SecurityProblem | None:
    """The security setting that a message names, if it names one."""
    return _SECURITY.of(message)
