"""The addresses outside of the cluster, cut where policies cut them: within one range all are treated alike."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import msgspec

from kubedoctor.replay.network.parties import Party
from kubedoctor.replay.network.policies import Block, Network
from kubedoctor.replay.network.verdicts import PolicySet

_BITS = {4: 32, 6: 128}


class AddressRange(msgspec.Struct, frozen=True):
    """From the first to the last address; IP version 4 or 6."""

    version: int
    first: int
    last: int

    @property
    def party(self) -> Party:
        """One of its addresses stands for all."""
        return Party(address=(self.version, self.first))

    @property
    def text(self) -> str:
        """`0.0.0.0-255.255.255.255`."""
        kind = ipaddress.IPv4Address if self.version == 4 else ipaddress.IPv6Address
        return f"{kind(self.first)}-{kind(self.last)}"


def address_ranges(policies: PolicySet, version: int = 4) -> tuple[AddressRange, ...]:
    """All addresses of an IP version, in ranges that no block of a policy cuts."""
    end = 1 << _BITS[version]
    starts = {0}
    for network in _networks(policies):
        if network.version == version:
            after = network.number + (end - 1 - network.mask) + 1
            starts |= {network.number, after} if after < end else {network.number}
    ordered = sorted(starts)
    return tuple(
        AddressRange(version, first, following - 1)
        for first, following in zip(ordered, (*ordered[1:], end), strict=True)
    )


def _networks(policies: PolicySet) -> Iterator[Network]:
    for rule in policies.rules:
        for peer in rule.peers or ():
            if isinstance(peer, Block):
                yield from (network for network in (peer.network, *peer.exceptions) if network is not None)
