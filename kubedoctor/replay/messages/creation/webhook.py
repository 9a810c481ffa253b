"""Why an admission webhook does not answer as it must: apiserver/pkg/admission/plugin/webhook."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_CALL = r"(failed calling|failed to call|error calling|calling) (admission )?webhook.*"

_PHRASES = (
    Phrase(
        _C.WEBHOOK_NO_ENDPOINTS,
        _F.WEBHOOK,
        _CALL + r"(no endpoints available|service \S+ not found|services? \"?\S+\"? not found|no (service|such) port"
        r"|port \S+ not found|no such host)",
    ),
    Phrase(
        _C.WEBHOOK_CERTIFICATE,
        _F.WEBHOOK,
        _CALL + r"(x509|certificate|tls: (?!handshake timeout)|CA bundle|caBundle|unable to load root)",
    ),
    Phrase(
        _C.WEBHOOK_TIMEOUT,
        _F.WEBHOOK,
        _CALL
        + r"(deadline exceeded|Client\.Timeout|timed? ?out(?!=)|i/o timeout|TLS handshake timeout|request canceled"
        r"|context canceled)",
    ),
    Phrase(
        _C.WEBHOOK_UNREACHABLE,
        _F.WEBHOOK,
        _CALL + r"(connection refused|no route to host|unreachable|dial tcp|Address is not allowed|proxyconnect"
        r"|connect: |lookup )",
    ),
    Phrase(
        _C.WEBHOOK_BAD_ANSWER,
        _F.WEBHOOK,
        _CALL + r"|expected response\.uid|could not get REST client|the server (could not find|rejected"
        r"|is currently unable)|(expected|received) (invalid )?webhook|webhook .*(invalid|malformed"
        r"|unexpected) (response|answer)|unsupported patch|failed to (decode|apply) .*patch",
    ),
)

WEBHOOK = Area("webhook", _PHRASES)
