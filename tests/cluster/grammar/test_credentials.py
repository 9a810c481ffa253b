"""No error text keeps a credential, and none loses what tells the cause."""

from __future__ import annotations

import pytest

from kubedoctor.cluster.grammar.credentials import without_credentials
from kubedoctor.cluster.seen.wants import CannotSee
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.problems import Problem

SECRET = "Zq7hunter2x"


@pytest.mark.parametrize(
    "text",
    [
        f"Invalid header value b'Bearer {SECRET}\\n'",
        f"Invalid header value b'Basic {SECRET}=='",
        f"proxy http://bob:{SECRET}@proxy:3128 cannot be used",
        f"proxy http://{SECRET}@proxy:3128 cannot be used",
        f"proxy http://bob:a/{SECRET}@proxy:3128 cannot be used",
        f"https://bob:{SECRET}@10.0.0.1:6443 refuses the connection",
        f"login --client-secret={SECRET} failed",
        f'{{"access_token": "{SECRET}"}} is not valid',
    ],
)
def test_a_credential_is_in_no_error_text(text: str) -> None:
    for shown in (
        without_credentials(text),
        str(Problem(text, text)),
        repr(Problem(text, text)),
        str(CannotSee("Pod", text)),
        ApiRefusal(500, "", text).clause,
    ):
        assert SECRET not in shown
        assert "<redacted>" in shown


@pytest.mark.parametrize(
    "text",
    [
        "https://10.0.0.1:6443 rejects the credentials of jane: the token expired at 2026-01-01 10:00 UTC (401)",
        "Basic authentication is not accepted, a bearer token is",
        "registry.local/app@sha256:0123456789abcdef cannot be pulled from https://registry.local",
        'User "jane@example.com" cannot list resource "secrets" in API group ""',
    ],
)
def test_what_tells_the_cause_stays(text: str) -> None:
    assert without_credentials(text) == text
