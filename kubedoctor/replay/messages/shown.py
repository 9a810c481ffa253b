"""A component's message as a person reads it: what each call of a cloud, of gRPC or of `mount` adds, wherever it stands, is
left out, and of a message that is too long the words that decide are kept."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.grammar.text import visible, visible_end
from kubedoctor.replay.messages.wrappers import without_wrappers

_NOISE: Final = tuple(
    (compiled_later(pattern), instead)
    for pattern, instead in (
        # gRPC's status, at each program that passes an error on
        (r'"?rpc error: code = (?:Internal|Unknown|Aborted|FailedPrecondition) desc = ', ""),
        (r'"?rpc error: code = (\w+) desc = (?:\1: )?', r"\1: "),
        # the attach-detach controller and the resizer, about a volume that is named already
        (r'Multi-Attach error for volume "[^"]*" Volume is ', "Multi-Attach error: it is "),
        (r'Waiting for detach for volume "[^"]*" Volume is ', "Waiting for detach: it is "),
        (r'\bresize volume "[^"]*" by resizer "[^"]*" failed: ', ""),
        (r"\bfailed to expand pvc with (?!\")", ""),
        (r"\bVolume provisioning failed with infeasible error\. Retries will be delayed\. ", ""),
        # AWS: the SDKs for Go, versions 1 and 2
        (
            r"operation error [\w ]+: \w+, (?:exceeded maximum number of attempts, \d+, )?https response error"
            r" StatusCode: \d+, RequestID: [\w-]*, (?:HostID: [^,]*, )?(?:api error )?",
            "",
        ),
        (r",? ?(?:status code: \d+, )?request id: [\w-]+", ""),
        (r" ?Encoded authorization failure message: \S+", ""),
        # Azure
        (r"Retriable: \w+, RetryAfter: \w+, HTTPStatusCode: (\d+), RawError: ", r"HTTP \1: "),
        (r" -{10,} RESPONSE (\d+): .*? ERROR CODE: (\w+) -{10,}", r" \2 (HTTP \1):"),
        (r"Warning: config file does not have \w+ item .{0,400}?\[\w+ = \w+\]\.? ?", ""),
        (r" ?See https?://\S+ for more details?\.?", ""),
        (r" ?Attempting to lookup mount target ip address using botocore\..{0,200}$", ""),
        # util-linux, and k8s.io/mount-utils around it
        (r"Mounting command: .{0,1000}? Output: ", ""),
        (r" ?Mounting command: \S+ Mounting arguments: .{0,1000}$", ""),
        (r"Unmounting arguments: .{0,1000}? Output: ", ""),
        (r"\bumount(?P<kind>[\w.]*): /var/lib/kubelet/\S+: ", r"umount\g<kind>: "),
        (r"\b(?:(?:un)?mount failed: )?exit status \d+:? (?:Output: )?(?=u?mount|Failed to )", ""),
        (r"\bmount: /var/lib/kubelet/\S+: ", "mount: "),
        (r"/var/lib/kubelet/(?:pods|plugins)/[^\s:\"',]+", "/var/lib/kubelet/…"),
        (r",? (?:missing codepage or helper program, or other error|dmesg\(1\) may have more information.*)", ""),
    )
)
_IN_JSON: Final = compiled_later(
    r'"message": ?"(?P<message>(?:[^"\\]|\\.)++)"'
    # a document that is itself a string of another
    r'|\\"message\\": ?\\"(?P<inner>(?:[^"\\]|\\[^"\\]|\\\\[^\\]|\\\\\\.)++)\\"'
)
_DECIDES: Final = tuple(
    map(
        compiled_later,
        (
            r"\b(?:is not authorized|does not have (?:authorization|permission|secrets)|Caller is not|Required '|Quota '"
            r"|[Qq]uota exceeded|not allowed|must be)",
            r"\b[A-Z]\w+(?:Exceeded|Denied|Forbidden|Failed|NotFound|InUse|Unsupported): ",
        ),
    )
)
"""What is refused or lacking, the plainest words first."""
_CLAUSE_ENDS: Final = (compiled_later(r"[.:;] "), compiled_later(r", "))
_LINE_END: Final = compiled_later(r"(?:(?<!\\)\\+[rnt])+ *")
_LONGEST: Final = 4000
"""Of a longer message the middle is not read."""
_SUBJECT: Final = 4
"""The part of what is shown that a subject may take where not all is shown."""


def plain_reason(message: str) -> str:
    """The message on one line, without ids, nested statuses and paths of the kubelet."""
    words = " ".join(message.split())
    if len(words) > _LONGEST:
        words = f"{words[: _LONGEST // 2]} … {words[-_LONGEST // 2 :]}"
    for pattern, instead in _NOISE:
        words = pattern.sub(instead, words)
    return without_wrappers(words).strip()


def shown_reason(message: str, limit: int) -> str:
    """At most `limit` characters: of a longer message the sentence in a document of JSON, or from the clause on that says
    what is refused or lacking, else its end."""
    words = plain_reason(message)
    if len(words) <= limit:
        return visible(words)
    inner = _IN_JSON.search(words)
    words = _LINE_END.sub(" ", inner["message"] or inner["inner"]) if inner is not None else words
    decides = next(filter(None, (pattern.search(words) for pattern in _DECIDES)), None)
    if len(words) <= limit or decides is None:
        return visible_end(words, limit)
    return visible(_clause(words, decides.start(), limit), limit)


def _clause(words: str, decides: int, limit: int) -> str:
    """The words from the clause on in which those at `decides` stand, if its subject leaves room for what follows; else
    from there, the cut marked."""
    if words[decides].isupper():
        return words[decides:]
    for pattern in _CLAUSE_ENDS:
        ends = (end.end() for end in pattern.finditer(words, 0, decides))
        begin = max((0, *(end for end in ends if end < decides)))
        if decides - begin <= limit // _SUBJECT or len(words) - begin <= limit:
            return words[begin:]
    return f"…{words[decides:]}"
