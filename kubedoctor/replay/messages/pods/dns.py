"""What the kubelet says of a pod's resolv.conf: pkg/kubelet/network/dns."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(
        _C.DNS_LIMITS,
        _F.CONFIGURATION,
        r"(nameserver|search line|search) limits? (were|was|is|are)? ?exceeded|some (nameservers"
        r"|search paths) have been omitted|resolv\.conf file .*(contains|limits|exceed)|search line .*(limit"
        r"|length)|exceeds the (length|limit)",
    ),
    Phrase(
        _C.DNS_SETTING,
        _F.NODE,
        r"ClusterDNS|clusterFirst|MissingClusterDNS|falling back to \"?Default|cluster DNS|resolvConf"
        r"|open \S*resolv\.conf|invalid (nameserver|DNS policy)|DNSPolicy",
    ),
)

DNS = Area("dns", _PHRASES, (_C.DNS_SETTING, _F.NODE))
