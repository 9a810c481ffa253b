"""The oracle's modes that may ask about the objects of an earlier row of mode `cluster`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from kubedoctor.testing.asked import Answer, State
from kubedoctor.testing.oracle_dns import answer_corefile, answer_dns, answer_lookup, answer_query, answer_resolv_conf
from kubedoctor.testing.oracle_reach import answer_reach
from kubedoctor.testing.oracle_services import answer_client, answer_slices

ABOUT_A_STATE: dict[str, Callable[[msgspec.Raw, State], Answer]] = {
    "reach": answer_reach,
    "answer": answer_query,
    "corefile": answer_corefile,
    "resolvconf": answer_resolv_conf,
    "dns": lambda request, _: answer_dns(request),
    "lookup": answer_lookup,
    "client": answer_client,
    "endpointslices": lambda request, _: answer_slices(request),
}
