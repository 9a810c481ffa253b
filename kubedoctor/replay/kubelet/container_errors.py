"""Why the kubelet or the runtime could not create or start a container, by their messages (pkg/kubelet/kuberuntime,
v1.37)."""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.messages.wrappers import without_wrappers


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
    WRONG_SYSTEM = enum.auto()
    NO_COMMAND = enum.auto()
    MOUNT = enum.auto()
    SUB_PATH_REPLACED = enum.auto()
    WORKING_DIRECTORY = enum.auto()
    MEMORY_TOO_SMALL = enum.auto()
    USER = enum.auto()
    KEYRING = enum.auto()
    DEVICE_DRIVER = enum.auto()
    NAME_RESERVED = enum.auto()
    NAME_IN_USE = enum.auto()
    IMAGE_STORE = enum.auto()
    DISK_READ_ONLY = enum.auto()
    RUNTIME = enum.auto()


class SecurityProblem(enum.Enum):
    """The security setting that prevents a container from starting."""

    ROOT_IMAGE = enum.auto()
    ROOT_USER = enum.auto()
    NAMED_USER = enum.auto()
    SECCOMP = enum.auto()
    APPARMOR = enum.auto()
    CAPABILITY = enum.auto()
    SELINUX = enum.auto()
    SYSCTL = enum.auto()
    HOST_USERS = enum.auto()


_OBJECT = re.compile(r'\b(configmap|secret)s? "([^"]+)" not found', re.IGNORECASE)
_KEY = re.compile(r"couldn't find key (\S+) in (ConfigMap|Secret) ([^/\s]+)/(\S+)")
_VOLUME_KEY = re.compile(r"references non-existent (config|secret) key: (\S+)")
_KINDS = {"configmap": "ConfigMap", "secret": "Secret", "config": "ConfigMap"}
_VOLUME = re.compile(r'for volume "([^"]+)"')
_COMMAND = re.compile(r'exec: \\?"([^"\\]+)\\?"')
_HOOK = re.compile(
    r"failed - error: (?:command '.*?' exited with (?P<code>\d+): ?)?(?P<why>.*?)(?:,? message: \"(?P<output>.*)\")?$",
    re.DOTALL,
)
"""`pkg/kubelet/lifecycle/handlers.go`, v1.25: the error, which repeats what a command wrote, and what the runtime wrote in the
form of a string of Go."""
_ESCAPED = re.compile(r"\\(?:[rnt]|(.))")

_PROBLEMS = {
    MessageClass.START_COMMAND_NOT_FOUND: StartProblem.NOT_FOUND,
    MessageClass.START_COMMAND_NOT_EXECUTABLE: StartProblem.NOT_EXECUTABLE,
    MessageClass.START_WRONG_ARCHITECTURE: StartProblem.WRONG_FORMAT,
    MessageClass.START_MOUNT_TYPE: StartProblem.MOUNT,
    MessageClass.START_MEMORY_TOO_SMALL: StartProblem.MEMORY_TOO_SMALL,
    MessageClass.START_USER_UNKNOWN: StartProblem.USER,
    MessageClass.START_KEYRING: StartProblem.KEYRING,
    MessageClass.START_GPU: StartProblem.DEVICE_DRIVER,
}
_KILL = re.compile(
    r'failed to "KillContainer" for "(?P<name>[^"]+)" with KillContainerError: "(?P<why>(?:[^"\\]|\\.)*)"', re.DOTALL
)
_OF_ITS_ID = re.compile(r' \\"[0-9a-f]{12,}\\"')
_NO_COMMAND = re.compile(r"no command specified|no (?:entrypoint|process args)", re.IGNORECASE)
_WORKING_DIRECTORY = re.compile(r"chdir to|cwd \(|working directory", re.IGNORECASE)
_DIRECTORY = re.compile(r'(?:chdir to (?:cwd \()?|cwd \()[\\"`(]*(/[^\s"\\`)]*)')
_WRONG_SYSTEM = re.compile(r"operating system .{0,40}does not match", re.IGNORECASE)
_NAME_RESERVED = re.compile(r"is reserved\b|request is in progress")
_STAGE = re.compile(r"Currently at stage ([\w ]+)")
_SUB_PATH_GONE = re.compile(r"/volume-subpaths/.{1,2000}no such file or directory", re.IGNORECASE | re.DOTALL)
_READ_ONLY = re.compile(r"read-only file ?system", re.IGNORECASE)
_NAME_IN_USE = re.compile(r"already in use")
_IMAGE_STORE = re.compile(r"snapshot|content (?:store|digest)|layer|rootfs component", re.IGNORECASE)
_NAMED_USER = re.compile(r"non-numeric user", re.IGNORECASE)
_ROOT_USER = re.compile(r"breaks non-root policy|runAsUser", re.IGNORECASE)
_APPARMOR = re.compile(r"apparmor", re.IGNORECASE)
_SELINUX = re.compile(r"selinux", re.IGNORECASE)
_SYSCTL = re.compile(r"sysctl", re.IGNORECASE)
_HOST_USERS = re.compile(r"user ?namespaces? .*not support|idmap", re.IGNORECASE)


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


def stage_named(message: str) -> str:
    """How far CRI-O has come with a request that takes it too long: `container volume configuration`."""
    match = _STAGE.search(message)
    return match[1].strip() if match else ""


def command_named(message: str) -> str:
    """The program that the runtime could not execute; empty if the message names none."""
    match = _COMMAND.search(message)
    return match.group(1) if match else ""


def working_directory_named(message: str) -> str:
    """The directory that the runtime could not change to; empty if the message names none."""
    match = _DIRECTORY.search(message)
    return match[1] if match else ""


def reason_in(message: str) -> str:
    """The end of a runtime message, without the wrappers of every failed start."""
    return without_wrappers(" ".join(message.split()))


def hook_failure(message: str) -> str:
    """What a lifecycle hook answered, as the kubelet of 1.25 and earlier repeats it; empty where the message is without."""
    match = _HOOK.search(message)
    if match is None:
        return ""
    code = f"exit code {match['code']}" if match["code"] else ""
    output = _ESCAPED.sub(lambda escaped: escaped[1] or " ", match["output"] or "")
    words = (" ".join(text.split()) for text in (match["why"].rstrip(" ,\n"), output))
    why = without_wrappers(next(filter(None, words), "")).removesuffix(": unknown")
    return ": ".join(filter(None, (code, why)))


def kill_failure(message: str) -> str:
    """Of a `FailedKillPod` event, why the first container could not be killed, without the runtime's wrappers and ids:
    the kubelet joins the errors of all containers and of the sandbox."""
    match = _KILL.search(message)
    if match is None:
        return " ".join(message.split())
    why = without_wrappers(_OF_ITS_ID.sub("", " ".join(match["why"].split())))
    return f"container {match['name']}: {why}"


class StartFailure(NamedTuple):
    """Why a container was not started; `on_node`: the repair lies on the node, not in the template or the image."""

    problem: StartProblem
    on_node: bool


def start_failure(message: str) -> StartFailure:
    """Why the runtime could not start a program, and whether the repair lies on the node."""
    reading = read_message(Message(text=message, reason="StartError", kind="Pod"))
    if reading is None:
        return StartFailure(StartProblem.RUNTIME, on_node=True)
    problem = _PROBLEMS.get(reading.message_class, StartProblem.RUNTIME)
    if problem in (StartProblem.NOT_FOUND, StartProblem.NOT_EXECUTABLE):
        if _NO_COMMAND.search(message):
            problem = StartProblem.NO_COMMAND
        elif _WORKING_DIRECTORY.search(message):
            problem = StartProblem.WORKING_DIRECTORY
    elif problem is StartProblem.WRONG_FORMAT and _WRONG_SYSTEM.search(message):
        problem = StartProblem.WRONG_SYSTEM
    elif problem is StartProblem.MOUNT and _SUB_PATH_GONE.search(message):
        return StartFailure(StartProblem.SUB_PATH_REPLACED, on_node=False)
    elif reading.message_class is MessageClass.START_RUNTIME:
        problem = _of_the_runtime(message)
    return StartFailure(problem, reading.fault is Culprit.NODE)


def _of_the_runtime(message: str) -> StartProblem:
    if _NAME_RESERVED.search(message):
        return StartProblem.NAME_RESERVED
    if _READ_ONLY.search(message):
        return StartProblem.DISK_READ_ONLY
    if _NAME_IN_USE.search(message):
        return StartProblem.NAME_IN_USE
    return StartProblem.IMAGE_STORE if _IMAGE_STORE.search(message) else StartProblem.RUNTIME


def security_problem(message: str) -> SecurityProblem | None:
    """The security setting that prevents the start by what the message means, if one does."""
    reading = read_message(Message(text=message, reason="CreateContainerError", kind="Pod")) if message else None
    match reading.message_class if reading is not None else None:
        case MessageClass.START_RUN_AS_ROOT:
            if _NAMED_USER.search(message):
                return SecurityProblem.NAMED_USER
            return SecurityProblem.ROOT_USER if _ROOT_USER.search(message) else SecurityProblem.ROOT_IMAGE
        case MessageClass.START_PROFILE_MISSING:
            if _SELINUX.search(message):
                return SecurityProblem.SELINUX
            return SecurityProblem.APPARMOR if _APPARMOR.search(message) else SecurityProblem.SECCOMP
        case MessageClass.START_CAPABILITY:
            return SecurityProblem.CAPABILITY
        case MessageClass.START_RUNTIME | MessageClass.START_MOUNT_TYPE if _HOST_USERS.search(message):
            return SecurityProblem.HOST_USERS
        case MessageClass.START_RUNTIME if _SYSCTL.search(message):
            return SecurityProblem.SYSCTL
    return None
