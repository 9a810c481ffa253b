"""What of a component's message is shown: no ids, no nested statuses, no paths of the kubelet, and the words that decide."""

from __future__ import annotations

import time

import pytest

from kubedoctor.replay.messages.shown import shown_reason

LONG = "Could not create it: " + "again and again, " * 20


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("rpc error: code = Internal desc = rpc error: code = Unknown desc = no disk", "no disk"),
        (
            "checkpoint failed: rpc error: code = PermissionDenied desc = no role",
            "checkpoint failed: PermissionDenied: no role",
        ),
        (
            "could not attach: operation error EC2: AttachVolume, https response error StatusCode: 400, RequestID: 1-2, api"
            " error VolumeInUse: vol-1 is attached to i-2",
            "could not attach: VolumeInUse: vol-1 is attached to i-2",
        ),
        ("AccessDenied: no\n\tstatus code: 403, request id: 0c8c-1", "AccessDenied: no"),
        (
            "mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs a:/b /c\nOutput: mount.nfs:"
            " access denied by server while mounting a:/b",
            "mount.nfs: access denied by server while mounting a:/b",
        ),
        (
            "mount: /var/lib/kubelet/pods/1-2/volumes/kubernetes.io~csi/pvc-1/mount: wrong fs type, bad superblock on /dev/x,"
            " missing codepage or helper program, or other error.",
            "mount: wrong fs type, bad superblock on /dev/x.",
        ),
        (
            "Retriable: false, RetryAfter: 0s, HTTPStatusCode: 409, RawError: disk is attached",
            "HTTP 409: disk is attached",
        ),
        (LONG + "User a is not authorized to perform: b", "User a is not authorized to perform: b"),
        (LONG + "Size 3: The parameter iops must be at least 3000", "The parameter iops must be at least 3000"),
        (LONG + "The size " + "of it " * 20 + "must be 3 or more", "…must be 3 or more"),
        (LONG + "Here, must be 3 or more", "Here, must be 3 or more"),
        (LONG + '{"message": "No \\"a\\" here.\\nTry \\\\"}', 'No \\"a\\" here. Try \\\\'),
        (LONG + r"{\"message\": \"No \\\"a\\\" here.\\nAt all\"}", r"No \\\"a\\\" here. At all"),
        (LONG + "QuotaExceeded: 40 of 40 in use", "QuotaExceeded: 40 of 40 in use"),
        (LONG + '{"error": {"message": "Caller lacks a role.\\r\\nCaller: x"}}', "Caller lacks a role. Caller: x"),
        (LONG + "and no more", "…" + (LONG + "and no more")[-100:].partition(" ")[2]),
    ],
)
def test_what_is_shown(message: str, shown: str) -> None:
    assert shown_reason(message, 100) == shown


@pytest.mark.parametrize(
    ("begin", "again", "times"),
    [
        (LONG + ' "message": "', r"\n", 20),
        (LONG + r" \"message\": \"", r"\\n\n", 10),
        ("", '"message": "', 6000),
        ("", " ---------- RESPONSE 1: ", 3000),
        ("", "operation error ", 5000),
        ("", "Mounting command: ", 4000),
        ("must be ", "\\", 60_000),
    ],
)
def test_no_message_takes_long(begin: str, again: str, times: int) -> None:
    before = time.process_time()
    assert len(shown_reason(begin + again * times, 100)) <= 100
    assert time.process_time() - before < 1
