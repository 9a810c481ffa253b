"""How a request fails below HTTP, whichever library carries it. The first argument is the library's own error.

Errors of TLS stay `ssl.SSLError`.
"""

from __future__ import annotations


class ConnectionFailed(Exception):
    """The connection broke, or the answer was not HTTP: another try may help."""


class NotResolved(ConnectionFailed):
    """The host name has no address."""


class NotReached(ConnectionFailed):
    """No connection to the address."""


class NotReachedInTime(ConnectionFailed):
    """No connection to the address within the time for it."""


class TookTooLong(ConnectionFailed):
    """No answer, or no whole answer, in time."""


class ProxyRefused(ConnectionFailed):
    """The proxy does not make the connection."""


class EndedEarly(ConnectionFailed):
    """The answer is shorter than it says."""


class NotUnpacked(ConnectionFailed):
    """The answer is not compressed as it says."""
