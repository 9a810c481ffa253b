"""Errors of KEDA's scalers, as public reports have them."""

from __future__ import annotations

import pytest

from kubedoctor.replay.autoscaling.scalers import ScalerFault, scaler_failure


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        # kedacore/keda#2208
        (
            "rpc error: code = PermissionDenied desc = Permission monitoring.timeSeries.list denied (or the resource may not exist).",
            ScalerFault.RIGHTS,
        ),
        (
            "error describing topics: kafka server: The client is not authorized to access this topic",
            ScalerFault.RIGHTS,
        ),
        (
            "operation error SQS: GetQueueAttributes, https response error StatusCode: 403, api error AccessDenied: User: "
            "arn:aws:sts::1234:assumed-role/keda/1 is not authorized to perform: sqs:getqueueattributes",
            ScalerFault.RIGHTS,
        ),
        ("NOPERM User keda has no permissions to run the 'llen' command", ScalerFault.RIGHTS),
        # kedacore/keda#4764: the operator may not take the role at all.
        (
            "WebIdentityErr: failed to retrieve credentials: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
            ScalerFault.CREDENTIALS,
        ),
        ("error inspecting redis list: WRONGPASS invalid username-password pair", ScalerFault.CREDENTIALS),
        # kedacore/keda#4656
        (
            "error code: 401, Details: claim is empty or token is invalid. TrackingId:3c65c64b_G42",
            ScalerFault.CREDENTIALS,
        ),
    ],
)
def test_of_a_message(message: str, fault: ScalerFault) -> None:
    assert scaler_failure(message).fault is fault
