"""The protobuf of kubectl's reviews."""

from __future__ import annotations

import pytest

from kubedoctor.sandbox.exchange import FailureStatus
from kubedoctor.sandbox.protobuf import decode, is_protobuf

# What kubectl 1.32 posted for `auth can-i list deployments.apps/scale -n shop` (it takes what follows / for a name) and `auth whoami`.
CAN_I = bytes.fromhex(
    "6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a656374416363657373"
    "526576696577124a0a100a0012001a0022002a00320038004200122c0a2a0a0473686f7012046c6973741a04617070732200"
    "2a0b6465706c6f796d656e747332003a057363616c651a08080012001a0020001a002200"
)
WHO_AM_I = bytes.fromhex(
    "6b3873000a2d0a1861757468656e7469636174696f6e2e6b38732e696f2f7631121153656c665375626a6563745265766965"
    "77121a0a100a0012001a0022002a0032003800420012060a040a0012001a002200"
)


def test_an_access_review() -> None:
    assert is_protobuf(CAN_I)
    review = decode(CAN_I)
    assert review["kind"] == "SelfSubjectAccessReview"
    assert review["apiVersion"] == "authorization.k8s.io/v1"
    assert review["spec"] == {
        "resourceAttributes": {
            "namespace": "shop",
            "verb": "list",
            "group": "apps",
            "resource": "deployments",
            "name": "scale",
        }
    }


def test_a_review_of_oneself() -> None:
    review = decode(WHO_AM_I)
    assert (review["kind"], review["apiVersion"]) == ("SelfSubjectReview", "authentication.k8s.io/v1")


@pytest.mark.parametrize("length", range(4, len(CAN_I) - 12, 3))
def test_a_body_that_is_cut_short_is_refused_or_read_in_part(length: int) -> None:
    try:
        decode(CAN_I[:length])
    except FailureStatus as refusal:
        assert refusal.code == 400  # noqa: PT017  # some lengths end between two fields, which is well-formed


def test_another_kind_is_refused() -> None:
    body = b"k8s\x00" + b"\x0a\x0f" + b"\x0a\x02v1" + b"\x12\x09Endpoints"
    with pytest.raises(FailureStatus, match="does not read Endpoints"):
        decode(body)


@pytest.mark.parametrize("junk", [b"\xff" * 20, b"\x0b\x01", b"", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"])
def test_junk_is_refused(junk: bytes) -> None:
    with pytest.raises(FailureStatus) as refusal:
        decode(b"k8s\x00" + junk)
    assert refusal.value.code in (400, 415)
