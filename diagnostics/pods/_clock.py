"""A certificate that is refused by its dates, where the clock of the node is what is wrong."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from diagnostics.pods._node import blamed_node
from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Pod, human_duration
from kubedoctor.findings import Fix, has_path, quote

_DATES: Final = re.compile(r"current time (?P<now>[\dTZ:.+-]+) is (?P<side>before|after) (?P<bound>[\dTZ:.+-]+)")
"""Of Go's `crypto/x509`."""
_CREATED: Final = "metadata.creationTimestamp"
_APART: Final = timedelta(minutes=1)


def wrong_clock(pod: Pod, message: str, cluster: Cluster) -> Story | None:
    """None where the message has no dates, or the clock that judged them may be right."""
    dates = _DATES.search(message)
    now = _moment(dates["now"]) if dates is not None else None
    bound = _moment(dates["bound"].rstrip(".")) if dates is not None else None
    created = pod.metadata.creation_timestamp
    if dates is None or now is None or bound is None or created is None or not pod.spec.node_name:
        return None
    if dates["side"] == "before" and created - now > _APART:
        text = f"the clock of its node is at least {human_duration(created - now)} behind"
    elif dates["side"] == "after" and now - cluster.taken_at > _APART:
        text = f"the clock of its node is {human_duration(now - cluster.taken_at)} ahead"
    else:
        return None
    node = pod.spec.node_name
    return Story(
        f"{text}, so that a TLS certificate looks {'not yet valid' if dates['side'] == 'before' else 'expired'}",
        because_of=blamed_node(pod),
        evidence=(quote(pod, _CREATED, "the API server's time then"),) if has_path(pod, _CREATED) else (),
        fixes=(
            Fix(f"Start the time service on node {node} (chrony, systemd-timesyncd), and let it correct the clock"),
        ),
    )


def _moment(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo is not None else None
