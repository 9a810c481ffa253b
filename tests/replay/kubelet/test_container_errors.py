"""Messages of the kubelet and of runc about containers that are not made."""

from __future__ import annotations

import pytest

from kubedoctor.replay.kubelet.container_errors import (
    Missing,
    SecurityProblem,
    StartProblem,
    command_named,
    hook_failure,
    missing_reference,
    reason_in,
    security_problem,
    start_failure,
    volume_named,
)

RUNC = "failed to create containerd task: OCI runtime create failed: runc create failed: unable to start container process: "


@pytest.mark.parametrize(
    ("message", "missing"),
    [
        ('configmap "a" not found', Missing("ConfigMap", "a")),
        ('MountVolume.SetUp failed for volume "tls" : secret "b" not found', Missing("Secret", "b")),
        ("couldn't find key K in ConfigMap shop/a", Missing("ConfigMap", "a", "K", "shop")),
        ("couldn't find key K in Secret shop/b", Missing("Secret", "b", "K", "shop")),
        ("references non-existent secret key: tls.crt", Missing("Secret", "", "tls.crt")),
        ("context deadline exceeded", None),
    ],
)
def test_what_is_missing(message: str, missing: Missing | None) -> None:
    assert missing_reference(message) == missing


@pytest.mark.parametrize(
    ("message", "problem", "command"),
    [
        (RUNC + 'exec: "/x": stat /x: no such file or directory', StartProblem.NOT_FOUND, "/x"),
        (RUNC + 'exec: "x": executable file not found in $PATH', StartProblem.NOT_FOUND, "x"),
        (RUNC + 'exec: "/x": permission denied', StartProblem.NOT_EXECUTABLE, "/x"),
        (RUNC + "exec /x: exec format error", StartProblem.WRONG_FORMAT, ""),
        ("failed to generate container spec: no command specified", StartProblem.NO_COMMAND, ""),
        (RUNC + 'error mounting "/a" to rootfs: not a directory', StartProblem.MOUNT, ""),
        ("context deadline exceeded", StartProblem.RUNTIME, ""),
    ],
)
def test_why_it_does_not_start(message: str, problem: StartProblem, command: str) -> None:
    assert (start_failure(message).problem, command_named(message)) == (problem, command)


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ('container has runAsNonRoot and image will run as root (pod: "x", container: c)', SecurityProblem.ROOT_IMAGE),
        ("container has runAsNonRoot and image has non-numeric user (app), cannot verify", SecurityProblem.NAMED_USER),
        ('cannot load seccomp profile "/var/lib/kubelet/seccomp/x.json"', SecurityProblem.SECCOMP),
        ('configmap "a" not found', None),
    ],
)
def test_security_settings(message: str, problem: SecurityProblem | None) -> None:
    assert security_problem(message) is problem


def test_the_volume_of_a_message() -> None:
    assert volume_named('MountVolume.SetUp failed for volume "d" : hostPath type check failed') == "d"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
            'unable to start container process: error during container init: exec: "/bin/x": no such file or directory',
            'exec: "/bin/x": no such file or directory',
        ),
        ("failed to generate container spec: no command specified", "no command specified"),
        ('failed to create containerd container: unknown user "web"', 'unknown user "web"'),
        ("context deadline exceeded", "context deadline exceeded"),
    ],
)
def test_the_wrappers_of_a_reason_are_taken_off(message: str, reason: str) -> None:
    assert reason_in(message) == reason


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("PostStartHook failed", ""),
        (
            'Exec lifecycle hook ([/x]) for Container "a" in Pod "p_n(1)" failed - error: command \'/x\' exited with 126: no, message: "no"',
            "exit code 126: no",
        ),
        (
            'HTTP lifecycle hook (/up) for Container "a" in Pod "p_n(1)" failed - error: Get "http://10.0.0.1:80/up": EOF, message: ""',
            'Get "http://10.0.0.1:80/up": EOF',
        ),
        (
            """Exec lifecycle hook ([/bin/sh -c sleep 5]) for Container "a" in Pod "p_n(1)" failed - error: command '/bin/sh -c sleep 5' exited with 126: , message: "OCI runtime exec failed: exec failed: unable to start container process: exec: \\"/bin/sh\\": stat /bin/sh: no such file or directory: unknown\\r\\n\"""",
            'exit code 126: exec: "/bin/sh": stat /bin/sh: no such file or directory',
        ),
        (
            """Exec lifecycle hook ([/x]) for Container "a" in Pod "p_n(1)" failed - error: command '/x' exited with 1: , message: \"\"""",
            "exit code 1",
        ),
        (
            """Exec lifecycle hook ([/x]) for Container "a" in Pod "p_n(1)" failed - error: rpc error: code = Unknown desc = failed to exec in container: failed to start exec "9a3": OCI runtime exec failed: exec failed: unable to start container process: exec: "/x": stat /x: no such file or directory: unknown, message: \"\"""",
            'exec: "/x": stat /x: no such file or directory',
        ),
    ],
)
def test_what_a_hook_answered(message: str, why: str) -> None:
    assert hook_failure(message) == why
