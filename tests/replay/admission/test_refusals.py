"""Refusals, by the API server's own answers and by texts of real clusters."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from kubedoctor.replay.admission.refusals import AdmissionStep, parse_refusal


def test_every_refusal_by_a_quota_is_read_whole(shared: Path) -> None:
    """Put together again, the parts give upstream's text."""
    kinds = {AdmissionStep.QUOTA_EXCEEDED: 0, AdmissionStep.QUOTA_NEEDS: 0}
    with gzip.open(shared / "conformance" / "fuzz" / "quota.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            error = row["answer"].get("error", "")
            said = parse_refusal(error)
            if "exceeded quota: " in error:
                joined = [
                    ",".join(f"{k}={v}" for k, v in part.items()) for part in (said.requested, said.used, said.limited)
                ]
                text = f"exceeded quota: {said.name}, requested: {joined[0]}, used: {joined[1]}, limited: {joined[2]}"
                assert error.partition(" is forbidden: ")[2] == text
                kinds[said.kind] += 1
            elif "must specify " in error:
                parts = "; ".join(f"{name} for: {','.join(each)}" for name, each in said.missing.items())
                assert error.endswith(f"failed quota: {said.name}: must specify {parts}"), error
                kinds[said.kind] += 1
    assert min(kinds.values()) > 50


@pytest.mark.parametrize(
    ("message", "kind", "name"),
    [
        (
            'Error creating: pods "a-x" is forbidden: exceeded quota: team.quota, requested: pods=1, used: pods=8, '
            "limited: pods=8",
            AdmissionStep.QUOTA_EXCEEDED,
            "team.quota",
        ),
        (
            'create Pod db-1 in StatefulSet db failed error: pods "db-1" is forbidden: failed quota: q: must specify '
            "limits.cpu,limits.memory",
            AdmissionStep.QUOTA_NEEDS,
            "q",
        ),
        (
            'pods "a" is forbidden: maximum memory usage per Container is 256Mi, but limit is 512Mi',
            AdmissionStep.LIMIT_RANGE,
            "",
        ),
        (
            'pods "a" is forbidden: [minimum cpu usage per Pod is 1.  No request is specified, maximum cpu usage per '
            "Pod is 2, but limit is 4]",
            AdmissionStep.LIMIT_RANGE,
            "",
        ),
        (
            'pods "a" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000',
            AdmissionStep.LIMIT_RANGE,
            "",
        ),
        (
            '(combined from similar events): Error creating: pods "s-1" is forbidden: violates PodSecurity '
            '"restricted:latest": privileged (container "signer" must not set securityContext.privileged=true)',
            AdmissionStep.POD_SECURITY,
            "restricted:latest",
        ),
        (
            'Internal error occurred: failed calling webhook "pods.guard.internal": failed to call webhook: Post '
            '"https://guard.ops.svc:443/validate?timeout=5s": no endpoints available for service "guard"',
            AdmissionStep.WEBHOOK_FAILS,
            "pods.guard.internal",
        ),
        ('admission webhook "w.example" denied the request: no', AdmissionStep.WEBHOOK_DENIES, "w.example"),
        (
            "pods \"c\" is forbidden: ValidatingAdmissionPolicy 'tags' with binding 'all' denied request: no latest",
            AdmissionStep.POLICY,
            "tags",
        ),
        ('pods "c-" is forbidden: no PriorityClass with name high was found', AdmissionStep.PRIORITY_CLASS, "high"),
        (
            'pods "c-" is forbidden: error looking up service account shop/bot: serviceaccount "bot" not found',
            AdmissionStep.SERVICE_ACCOUNT,
            "bot",
        ),
        (
            'pods "c-" is forbidden: pod rejected: RuntimeClass "gvisor" not found',
            AdmissionStep.RUNTIME_CLASS,
            "gvisor",
        ),
        (
            'pods "c" is forbidden: unable to create new content in namespace old because it is being terminated',
            AdmissionStep.NAMESPACE,
            "old",
        ),
        ("etcdserver: request timed out", AdmissionStep.OTHER, ""),
        ("", AdmissionStep.OTHER, ""),
    ],
)
def test_texts_are_classed(message: str, kind: AdmissionStep, name: str) -> None:
    said = parse_refusal(message)
    assert (said.kind, said.name) == (kind, name)
    assert 'pods "' not in said.text
