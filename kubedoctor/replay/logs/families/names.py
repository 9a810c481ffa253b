"""Names that do not resolve: resolvers of glibc, musl, Go, Java, Node.js, .NET and the proxies."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.faults import LogFault, Pattern, PatternFamily
from kubedoctor.replay.logs.subjects import host

_HOST: Final = r"(?P<subject>[A-Za-z0-9_][\w.-]*)"
_ANSWERED: Final = compiled_later(
    r"lookup \S+ on \S+:53: no such host|getaddrinfo ENOTFOUND|name or service not known|name does not resolve",
    re.IGNORECASE,
)
_SILENT: Final = compiled_later(r":53\b.*(refused|timeout|unreachable)")


def dns_answered(message: str) -> bool:
    """The DNS server answered that the name does not exist.

    Only then does Go write the server beside those words (`net/dnsclient_unix.go`), and do glibc and musl return
    EAI_NONAME, Node's ENOTFOUND; without an answer they return EAI_AGAIN.
    """
    return _ANSWERED.search(message) is not None


def dns_silent(message: str) -> bool:
    """The DNS server gave no answer."""
    return _SILENT.search(message) is not None


FAMILIES: Final = (
    PatternFamily(
        LogFault.NAME_NOT_RESOLVED,
        (
            Pattern("lookup ", rf"lookup {_HOST}(?: on [^\s]+)?: (?!.*unknown port)"),
            Pattern("getaddrinfo", rf"getaddrinfo (?:ENOTFOUND|EAI_AGAIN|EAI_NONAME|EAI_FAIL) {_HOST}"),
            Pattern("enotfound", rf"ENOTFOUND {_HOST}"),
            Pattern("could not translate host name", rf"host name \"{_HOST}\""),
            Pattern(
                "unknownhostexception",
                rf"UnknownHostException:? (?:Failed to resolve '|Invalid host name: local host is: \(unknown\); destination host is: \"?)?{_HOST}",
            ),
            Pattern("unknownhostexception"),
            Pattern("could not resolve host", rf"could not resolve host(?:name)?:? [\"']?{_HOST}"),
            Pattern("couldn't resolve host", rf"couldn't resolve host(?:name)?:? [\"']?{_HOST}"),
            Pattern(
                "unable to resolve", rf"unable to resolve (?:host|hostname|service|name)?:? ?(?:for )?[\"']?{_HOST}"
            ),
            Pattern("bad address '", rf"bad address '{_HOST}"),
            Pattern("host not found in", r"host not found in \w+ (?:directive )?\"(?P<subject>[^\"]+)\""),
            Pattern("could not be resolved", rf"{_HOST} could not be resolved(?: \(\d+: [\w ]+\))?"),
            Pattern("server host '", rf"Unknown (?:MySQL )?server host '{_HOST}'"),
            Pattern(
                "failed to resolve",
                rf"failed to resolve (?:hostname |host |name |address |DNS name )?[:\"'(]*{_HOST}(?=[\"':). ,]|$)",
            ),
            Pattern("couldn't resolve server", rf"Couldn't resolve server {_HOST}"),
            Pattern("dns resolution failed", rf"DNS resolution failed for (?:url in \S+ )?{_HOST}"),
            Pattern("dns resolution failed"),
            Pattern("no resolvable bootstrap urls"),
            Pattern("could not resolve address", rf"for '?{_HOST}"),
            Pattern("could not resolve", rf"could not resolve '?{_HOST}(?::\d+)?'?(?: \(|:|$)"),
            Pattern("no address associated with hostname", rf"{_HOST}: no address associated"),
            Pattern("no address associated with"),
            Pattern("php_network_getaddresses", rf"getaddrinfo for {_HOST} failed"),
            Pattern("php_network_getaddresses", r"(?:tcp|ssl|tls)://(?P<subject>[\w.:-]+)"),
            Pattern("php_network_getaddresses"),
            Pattern("failed to lookup address"),
            Pattern("no such host is known", r"\((?P<subject>[\w.-]+:\d+)\)"),
            Pattern("no such host"),
            Pattern("name or service not known", rf"(?:host|hostname|resolve) [\"']?{_HOST}[\"']?[:,]"),
            Pattern("name or service not known", r"\((?P<subject>[\w.-]+:\d+)\)"),
            Pattern("name or service not known", rf"(?:^|: ){_HOST}: name or service not known"),
            Pattern("name or service not known", rf"connecting to {_HOST}:\d+\. "),
            Pattern("name or service not known"),
            Pattern("temporary failure in name resolution", rf"(?:host|hostname|resolve) [\"']?{_HOST}[\"']?[:,]"),
            Pattern("temporary failure in name resolution", rf"connecting to {_HOST}:\d+\. "),
            Pattern("temporary failure in name resolution"),
            Pattern("name does not resolve", rf"connecting to {_HOST}:\d+\. "),
            Pattern("name does not resolve"),
            Pattern("nodename nor servname"),
            Pattern("eai_again", rf"EAI_AGAIN:? {_HOST}"),
            Pattern("gaierror"),
            Pattern("can't resolve", rf"can't resolve '?(?!dependenc){_HOST}"),
            Pattern("lookup host", rf"(?:couldn't|could not|cannot|can't|failed to|unable to) lookup host {_HOST}"),
            Pattern("seed provider lists no seeds", weak=True),
            Pattern("host not found", rf"host not found:? [\"']?{_HOST}"),
            Pattern("unresolved address"),
            Pattern("unresolvedaddressexception"),
            Pattern("could not resolve", rf"could not resolve (?:placeholder)?(?<!placeholder){_HOST} to"),
            Pattern(
                "resolve",
                rf"(?:cannot|can't|could not|couldn't|failed to|unable to) resolve (?:the )?(?:host(?:name)?|address|name|dns|endpoint|server|service|url|domain)s?\b(?: name)?(?: for)?:? ?[\"'`]?(?:\w+://)?{_HOST}?",
            ),
            Pattern("getaddrinfo failed"),
            Pattern("getaddrinfo"),
            Pattern("nxdomain", rf"(?:connect|address,) ?[({{]\"?{_HOST}\"?[:,] ?\d+[)}}].*nxdomain"),
            Pattern("nxdomain", rf"{_HOST}.*nxdomain|nxdomain"),
            Pattern("temporary failure resolving", rf"resolving '{_HOST}'"),
            Pattern("name resolution failure"),
            Pattern("querysrv", rf"querySrv \w+ {_HOST}"),
            Pattern("server misbehaving"),
            Pattern("unknown host", rf"unknown host:? [\"']?{_HOST}"),
            Pattern("is a non-existent host"),
        ),
        host,
    ),
)
