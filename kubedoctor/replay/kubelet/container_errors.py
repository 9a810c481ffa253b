"""Why the kubelet or the runtime could not make or start a container, from their messages (pkg/kubelet/kuberuntime, v1.37)."""

from __future__ import annotations

import enum
import re
from typing import NamedTuple


class Missing(NamedTuple):
    """A ConfigMap or Secret, or a key of one, that a message names. `namespace` is empty where it is unknown."""

    kind: str
    name: str
    key: str = ""
    namespace: str = ""


class StartProblem(enum.Enum):
    """Why a program could not be started."""

    NOT_FOUND = "the command does not exist in the image"
    NOT_EXECUTABLE = "the command may not be executed"
    WRONG_FORMAT = "the program is for another processor"
    NO_COMMAND = "neither image nor pod names a command"
    MOUNT = "a mount failed"
    WORKING_DIRECTORY = "the working directory does not exist"
    MEMORY_TOO_SMALL = "the memory limit is too small to start anything"
    USER = "the user or group is not known"
    RUNTIME = "the container runtime failed"


class SecurityProblem(enum.Enum):
    """What a security setting forbids."""

    ROOT_IMAGE = "runAsNonRoot, and the image runs as root"
    ROOT_USER = "runAsNonRoot, and runAsUser is 0"
    NAMED_USER = "runAsNonRoot, and the image names its user by a word"
    SECCOMP = "the seccomp profile cannot be used"
    APPARMOR = "the AppArmor profile cannot be used"
    CAPABILITY = "a capability cannot be given"
    SYSCTL = "a sysctl is not allowed on the node"
    HOST_USERS = "user namespaces cannot be used"


_OBJECT = re.compile(r'\b(configmap|secret)s? "([^"]+)" not found', re.IGNORECASE)
_KEY = re.compile(r"couldn't find key (\S+) in (ConfigMap|Secret) ([^/\s]+)/(\S+)")
_VOLUME_KEY = re.compile(r"references non-existent (config|secret) key: (\S+)")
_KINDS = {"configmap": "ConfigMap", "secret": "Secret", "config": "ConfigMap"}
_VOLUME = re.compile(r'for volume "([^"]+)"')
_COMMAND = re.compile(r'exec: \\?"([^"\\]+)\\?"')

_START: tuple[tuple[StartProblem, re.Pattern[str]], ...] = tuple(
    (problem, re.compile(pattern, re.IGNORECASE))
    for problem, pattern in (
        (StartProblem.WRONG_FORMAT, r"exec format error"),
        (StartProblem.NO_COMMAND, r"no command specified"),
        (StartProblem.WORKING_DIRECTORY, r"chdir to cwd|cwd \(|working directory"),
        (StartProblem.MEMORY_TOO_SMALL, r"container init was OOM-killed|memory limit too low|minimum memory limit"),
        (StartProblem.USER, r"unable to find user|no matching entries in passwd|unable to find group|no users found"),
        (StartProblem.MOUNT, r"error mounting|failed to prepare subPath|not a directory: Are you trying to mount|mount .*: not a directory"),
        (StartProblem.NOT_FOUND, r"executable file not found|exec: .*no such file or directory|stat .*: no such file or directory"),
        (StartProblem.NOT_EXECUTABLE, r"exec: .*(?:permission denied|is a directory)"),
    )
)  # fmt: skip
_SECURITY: tuple[tuple[SecurityProblem, re.Pattern[str]], ...] = tuple(
    (problem, re.compile(pattern, re.IGNORECASE))
    for problem, pattern in (
        (SecurityProblem.ROOT_IMAGE, r"runAsNonRoot and image will run as root"),
        (SecurityProblem.NAMED_USER, r"runAsNonRoot and image has non-numeric user"),
        (SecurityProblem.ROOT_USER, r"runAsUser breaks non-root policy|container's runAsUser .*non-?root"),
        (SecurityProblem.SECCOMP, r"seccomp"),
        (SecurityProblem.APPARMOR, r"apparmor"),
        (SecurityProblem.SYSCTL, r"sysctl"),
        (SecurityProblem.CAPABILITY, r"unknown capability|capability .*(?:not|invalid)"),
        (SecurityProblem.HOST_USERS, r"user ?namespaces? .*not support|idmap"),
    )
)


def missing_reference(message: str) -> Missing | None:
    """The ConfigMap, Secret or key that a message says is not there."""
    if key := _KEY.search(message):
        return Missing(key.group(2), key.group(4), key.group(1), key.group(3))
    if found := _OBJECT.search(message):
        return Missing(_KINDS[found.group(1).lower()], found.group(2))
    if volume_key := _VOLUME_KEY.search(message):
        return Missing(_KINDS.get(volume_key.group(1), "Secret"), "", volume_key.group(2))
    return None


def volume_named(message: str) -> str:
    """The pod's volume that a mount or attach message names; empty if none."""
    found = _VOLUME.search(message)
    return found.group(1) if found else ""


def command_named(message: str) -> str:
    """The program that a runtime message says it could not execute; empty if none."""
    found = _COMMAND.search(message)
    return found.group(1) if found else ""


def start_problem(message: str) -> StartProblem:
    """Why the runtime could not start a program."""
    return next((problem for problem, pattern in _START if pattern.search(message)), StartProblem.RUNTIME)


def security_problem(message: str) -> SecurityProblem | None:
    """The security setting that a message names, if it names one."""
    return next((problem for problem, pattern in _SECURITY if pattern.search(message)), None)
