"""What kube-proxy's log says of the rules that it writes on its node (`pkg/proxy/{iptables,ipvs,nftables}/proxier.go`, v1.37)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later

_FAILS: Final = compiled_later(
    r"Failed to (?:execute|ensure|create|list|sync|delete)\b.{0,80}(?:iptables|ip6tables|nft|ipset|ipvs|chains?|rules?|dummy)"
    r"|(?:iptables|ip6tables|nftables|ipvs|ipset)\b.{0,60}(?:failed|can't initialize|unknown option|Couldn't load)",
)
_ENOUGH: Final = 2
_DONE: Final = compiled_later(r"SyncProxyRules complete|Sync(?:ed)? (?:succeeded|complete)|syncProxyRules took")
_MORE: Final = 2
"""An error of klog has the command's answer on the lines below it."""


def rules_not_written(lines: Sequence[str]) -> tuple[int, ...]:
    """The newest failure to write rules and the lines of its answer, where it failed several times and has not succeeded
    since; empty otherwise."""
    failed = [index for index, line in enumerate(lines) if _FAILS.search(line)]
    if len(failed) < _ENOUGH:
        return ()
    last = failed[-1]
    begin = next((index for index in reversed(failed) if lines[index][:1].strip()), last)
    if any(_DONE.search(line) for line in lines[begin + 1 :]):
        return ()
    below = range(begin + 1, min(begin + 1 + _MORE, len(lines)))
    return (begin, *(index for index in below if lines[index][:1].isspace()))
