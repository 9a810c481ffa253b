from __future__ import annotations

import pytest

from kubedoctor.replay.messages.wrappers import deciding_words, without_wrappers

START = (
    "Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: "
)
PULL = (
    'Failed to pull image "acme/web:1": rpc error: code = Unknown desc = failed to pull and unpack image '
    '"docker.io/acme/web:1": failed to resolve reference "docker.io/acme/web:1": '
)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            START + 'exec: "sh": executable file not found in $PATH: unknown',
            'exec: "sh": executable file not found in $PATH: unknown',
        ),
        (PULL + "docker.io/acme/web:1: not found", "docker.io/acme/web:1: not found"),
        ("Error: container create failed: open executable: Permission denied", "open executable: Permission denied"),
        ("rpc error: code = Unknown desc = ", "rpc error: code = Unknown desc ="),
        ("Started container web", "Started container web"),
        ("", ""),
    ],
)
def test_the_reason_remains(message: str, reason: str) -> None:
    assert without_wrappers(message) == reason


def test_a_short_reason_keeps_the_step_that_failed() -> None:
    message = START + 'exec: "sh": executable file not found in $PATH: unknown'
    assert deciding_words(message, None).startswith("unable to start container process: exec:")


def test_a_long_reason_stands_alone_and_keeps_its_end() -> None:
    reason = 'failed to do request: Head "https://registry.example.com/v2/acme/web/manifests/1": ' + "x" * 400 + " EOF"
    assert deciding_words(PULL + reason, None) == reason


def test_nothing_from_the_phrase_on_is_left_out() -> None:
    message = PULL + "y" * 200
    assert deciding_words(message, 10) == message
