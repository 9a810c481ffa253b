"""A right that a cloud denies: who lacks which right on what, as AWS, Google Cloud and Azure write it."""

from __future__ import annotations

import re
from typing import Final

from diagnostics.pods.crashes._story import Story
from kubedoctor.findings import Fix

_AWS: Final = re.compile(
    r"(?:User|Principal)?:? ?(?P<who>arn:aws[\w-]*:(?:sts|iam)::\S+) is not authorized to perform:? (?P<what>[\w*:-]+)"
    r"(?: on resource:? [\\\"']*(?P<on>[^\s\\\"',]+))?"
)
_GOOGLE: Final = re.compile(
    r"(?P<who>[\w.+-]+@[\w.-]+\.gserviceaccount\.com) does not have (?P<what>[a-z]+\.[\w.]+) access"
)
_AZURE: Final = re.compile(
    r"client '(?P<who>[^']+)'(?: with object id '[^']*')? does not have authorization to perform action '(?P<what>[^']+)'"
    r"(?: (?:over|on) scope '(?P<on>[^']+)')?"
)
_ROLE: Final = re.compile(r":assumed-role/(?P<role>[^/]+)|:role/(?:.*/)?(?P<own>[^/]+)$|:user/(?:.*/)?(?P<user>[^/]+)$")
_BUCKET_OF_AN_ARN: Final = re.compile(r"^arn:aws[\w-]*:s3:::(?P<bucket>[^/]+)")
_GOOGLE_BUCKET: Final = re.compile(
    r"gs://(?P<url>[\w.-]+)|\bb/(?P<path>[\w.-]+)/o\b|\bbucket[\"']?[=:]? ?[\\\"']*(?P<field>[\w-]+[\w.-]*\w)(?=[\s\\\"',]|$)",
)
_DENY: Final = "explicit deny"


def denied_by_cloud(message: str, line: str) -> Story | None:
    """None where no cloud denies it, or the message does not say whom. line: with the fields beside the message."""
    if (match := _AWS.search(message)) is not None:
        return _by_aws(match, message)
    if (match := _GOOGLE.search(message)) is not None:
        bucket = _GOOGLE_BUCKET.search(line) if match["what"].startswith("storage.") else None
        on = f" on bucket {next(filter(None, bucket.groups()))}" if bucket is not None else ""
        return _story(match, on, f"Grant {match['who']} an IAM role that holds {match['what']}{on}")
    if (match := _AZURE.search(message)) is not None:
        on = f" on {match['on']}" if match["on"] else ""
        return _story(match, on, f"Assign client {match['who']} an Azure role that allows {match['what']}{on}")
    return None


def _by_aws(match: re.Match[str], message: str) -> Story:
    role = _ROLE.search(match["who"])
    who = match["who"]
    if role is not None:
        who = f"user {role['user']}" if role["user"] else f"role {role['role'] or role['own']}"
    bucket = _BUCKET_OF_AN_ARN.match(match["on"] or "")
    named = f"bucket {bucket['bucket']}" if bucket is not None else match["on"]
    on = f" on {named}" if named else ""
    fix = f"Allow {match['what']}{on} in an IAM policy of {who}"
    if _DENY in message:
        fix = f"Remove the explicit deny of {match['what']}{on} for {who} from the policy that holds it"
    return Story(f"AWS denies {who} {match['what']}{on}", fixes=(Fix(fix),))


def _story(match: re.Match[str], on: str, fix: str) -> Story:
    cloud = "Google Cloud" if match.re is _GOOGLE else "Azure"
    kind = "service account" if match.re is _GOOGLE else "client"
    return Story(f"{cloud} denies {kind} {match['who']} {match['what']}{on}", fixes=(Fix(fix),))
