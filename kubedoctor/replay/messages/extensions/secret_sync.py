"""Why a secret is not synchronised: the External Secrets operator, its stores and providers, Sealed Secrets, Vault's operator."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_HEALTHY = (
    Phrase(
        _C.SECRET_SYNC_HEALTHY,
        _F.NOTHING,
        r"^(Secret was synced|secret synced|store validated|Created Secret|Updated Secret|Deleted Secret"
        r"|SealedSecret unsealed successfully|Secret synced|could not update secret due to conflict)"
        r"|secret synced|store validated|synced successfully|unsealed successfully",
    ),
)
_SEALED = (
    Phrase(
        _C.SECRET_SYNC_SEALED,
        _F.CONFIGURATION,
        r"no key could decrypt|(unable|failed) to (decrypt|unseal) (sealed ?secret|data|secret|item)|decryption error"
        r"|crypto/rsa: decryption|error decrypting",
    ),
)
"""Others decrypt too, as a provider of an ExternalSecret: only a SealedSecret is sealed for its controller."""
_OTHERS = (
    Phrase(
        _C.SECRET_SYNC_TARGET,
        _F.TEMPLATE,
        r"template|owned by another|already (owned|exists)|is owned by|target .*(is|not|owned)|creationPolicy"
        r"|immutable|not managed|owner|could not (create|update) (or update )?secret|merge|cannot (create"
        r"|update) secret|Secret \S+ exists",
    ),
    Phrase(
        _C.SECRET_SYNC_STORE,
        _F.CONFIGURATION,
        r"(Cluster)?SecretStore \"?[^\"\s]+\"? (is )?not (found|ready)|desired (Cluster)?SecretStore",
    ),
    Phrase(
        _C.SECRET_SYNC_STORE,
        _F.CONFIGURATION,
        r"(Cluster)?SecretStore|secret ?store|could not get (provider|secret store)|cluster store"
        r"|store .*(not (found|ready|allowed|exist)|is not)|unable to (validate|create|get) (store|provider"
        r"|client)|InvalidStore|InvalidProvider|provider (client|config)|not allowed from namespace"
        r"|unable to validate|ValidationFailed|denied by spec\.condition|generator .*not|no (store|provider)",
        r"(?!Updated?Failed|SecretSyncedError).*",
    ),
    Phrase(
        _C.SECRET_SYNC_STORE,
        _F.CONFIGURATION,
        r"",
        r"InvalidProviderConfig|ValidationFailed|InvalidStoreConfig\w*|ValidationUnknown",
    ),
    Phrase(
        _C.SECRET_SYNC_DENIED,
        _F.CONFIGURATION,
        r"permission denied|refresh the token|Code: 40[13]|AccessDenied|access denied|not authorized|forbidden"
        r"|Forbidden|Unauthorized|unauthorized|PermissionDenied|PERMISSION_DENIED|\b403\b|\b401\b|invalid token"
        r"|UnrecognizedClientException|ExpiredToken|InvalidSignature|authentication failed|failed to login"
        r"|unable to log ?in|invalid (role|credential)|AADSTS|Unauthenticated|no permission"
        r"|credentials? .*(expired|invalid)|Access Denied",
    ),
    Phrase(
        _C.SECRET_SYNC_KEY_MISSING,
        _F.CONFIGURATION,
        r"Secret does not exist|does not exist|not found|NotFound|no such|marked for deletion|ResourceNotFound"
        r"|cannot find (secret|key|property)|could not find|can't find|key .*(missing|not)|property .*(not"
        r"|missing)|SecretNotFound|no secret|empty|has no (data|key|version)|deleted|disabled|DESTROYED|DISABLED"
        r"|unexpected secret|missing",
    ),
    Phrase(
        _C.SECRET_SYNC_STORE,
        _F.CONFIGURATION,
        r"(Cluster)?SecretStore|could not get (provider|secret store)|cluster store|store \S* ?(not (found|ready"
        r"|allowed|exist)|is not)|not allowed from namespace|unable to validate store",
    ),
    Phrase(
        _C.SECRET_SYNC_FAILED,
        _F.CONFIGURATION,
        r"could not (get|update)|failed|error|timeout|unable",
    ),
)

_OTHERWISE = (_C.SECRET_SYNC_FAILED, _F.CONFIGURATION)

SECRET_SYNC = Area("secret-sync", (*_HEALTHY, *_OTHERS), _OTHERWISE)
SEALED_SECRET = Area("secret-sync", (*_HEALTHY, *_SEALED, *_OTHERS), _OTHERWISE)
