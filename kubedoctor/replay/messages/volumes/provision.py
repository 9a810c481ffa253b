"""Why a claim gets no volume: the volume controller, external provisioners, drivers, the clouds behind them."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(
        _C.PROVISION_HEALTHY,
        _F.NOTHING,
        r"waiting for first consumer|^Successfully provisioned volume"
        r"|External provisioner is provisioning volume|waiting for pod .* to be scheduled|^assigned to node"
        r"|^Provisioning succeeded|^Created volume",
    ),
    Phrase(
        _C.PROVISION_DRIVER_WAITING,
        _F.CLUSTER_ADDON,
        r"waiting for a volume to be created|external provisioner|no volume plugin matched"
        r"|provisioner is running|driver .*not found in the list of registered CSI drivers"
        r"|cannot find volume plugin",
        r"(?!ProvisioningFailed).*|ProvisioningFailed",
    ),
    Phrase(
        _C.PROVISION_BINDING,
        _F.CONFIGURATION,
        r"",
        r"ClaimLost|ClaimMisbound|VolumeFailed\w*|VolumeUnknownReclaimPolicy|VolumeRecycled",
    ),
    Phrase(
        _C.PROVISION_BINDING,
        _F.TEMPLATE,
        r"already bound to a different claim|bound claim has lost|Cannot bind to requested volume|lost (its"
        r"|reference)|two claims are bound|claim misbound|ClaimLost|ClaimMisbound|is bound to (another"
        r"|a different)|no persistent volumes? available for this claim|volume .*(already bound|does not match"
        r"|no longer exists|requires|incompatible)|storageClassName does not match|requested PV is too small"
        r"|incompatible accessMode|VolumeMismatch|FailedBinding|can't be bound|could not be reclaimed|reclaim"
        r"|persistentvolume \S+ not found",
    ),
    Phrase(
        _C.PROVISION_ENCRYPTION,
        _F.CONFIGURATION,
        r"InvalidVolume\.NotFound|IdempotentParameterMismatch.{0,80}deleted|InvalidKmsKey|KMSKeyNotAccessible|KMS\.\w+Exception"
        r"|CustomerKeyHasBeenRevoked|(kms|encryption|customer|vault|crypto) ?-?keys?\b.{0,120}(not found|disabled|pending"
        r"|destroyed|invalid|does not exist|unavailable|cannot be used)|DiskEncryptionSet\S*.{0,120}(not found|disabled"
        r"|invalid|denied|forbidden)|cryptoKeys?/\S+.{0,120}(not found|disabled|destroyed)|failed to .{0,40}passphrase"
        r"|no passphrase",
    ),
    Phrase(
        _C.PROVISION_QUOTA,
        _F.CLOUD,
        r"quota '|quota (has been |was )?(exceeded|exhausted|reached)|exceeded .{0,30}quota|QuotaExceeded"
        r"|LimitExceeded",
    ),
    Phrase(
        _C.PROVISION_IDENTITY,
        _F.CONFIGURATION,
        r"NoCredentialProviders|no valid providers in chain|WebIdentityErr|AssumeRoleWithWebIdentity"
        r"|failed to (retrieve|refresh|load|get) (the )?(cached )?(credential|token|identity)|no EC2 IMDS role"
        r"|get (credentials|identity)|get identity|could not (get|find|load) (default |cloud |azure )?credential"
        r"|failed to acquire (a )?token|AADSTS\d+|InvalidClientTokenId|ExpiredToken|invalid_grant|oauth2: "
        r"|Identity not found|metadata.*(identity|token|credential)|InvalidIdentityToken|OpenIDConnect"
        r"|SignatureDoesNotMatch|InvalidAccessKeyId|AuthFailure\b|Authentication failed|failed to authenticate"
        r"|ServerFaultCode: (Cannot complete login|NotAuthenticated)|NotAuthenticated"
        r"|incorrect user name or password|Unauthenticated|invalid_client|security token .*(invalid|expired)"
        r"|Unable to re-?authenticate|application credential|username or password|cannot login|InvalidLogin"
        r"|status ?code:? 401|\b401\b",
    ),
    Phrase(
        _C.PROVISION_DENIED,
        _F.CONFIGURATION,
        r"UnauthorizedOperation|not authorized|does not have (authorization|permission|storage\.|compute\.)"
        r"|AuthorizationFail|AuthorizationFailed|AuthorizationPermissionMismatch|Required '\S+' permission"
        r"|AccessDenied|access denied|permission denied|PermissionDenied|forbidden|Forbidden|PERMISSION_DENIED"
        r"|\b403\b|NoPermission|RequestDisallowedByPolicy|disallowed by policy|Policy doesn't allow"
        r"|operation not permitted|Insufficient permission|not have the required privilege|NoPermission"
        r"|is not allowed to|KeyVault.*access|kms.*(denied|access)|cannot (get|create|list|update) resource",
    ),
    Phrase(
        _C.PROVISION_QUOTA,
        _F.CLOUD,
        r"LimitExceeded|quota|QUOTA|QuotaExceeded|exceed(s|ed).*(limit|maximum|allowed)|maximum (number|storage)"
        r"|limit (increase|reached|exceeded)|too many (volumes|disks|snapshots|file ?systems)|AccessPointLimit"
        r"|RequestLimitExceeded|Throttl|rate ?limit|TooManyRequests|too many requests|OverQuota|OverLimit"
        r"|limit of \d+|reached .*limit",
    ),
    Phrase(_C.PROVISION_TOPOLOGY, _F.CLUSTER_ADDON, r"no (available )?topology|topology keys?"),
    Phrase(
        _C.PROVISION_TOPOLOGY,
        _F.CONFIGURATION,
        r"no (available )?topology|topology|no (zone|node)s? (\S+ )?(found|match|available|could|has|have|in)"
        r"|zone\S* .*(not found|not supported|does not exist|unavailable|invalid)|no zones"
        r"|failed to get (target node|zone)|no suitable (zone|node)|accessibility requirements|allowedTopologies"
        r"|not available in (the )?(zone|region|location)|selected node|availability ?zone|no shared datastores"
        r"|[Dd]atastore\b.*(not accessible|shared)|no nodes? .*(storage|capacity|matching|ready)|AllowedTopologies"
        r"|no compatible datastore|location .*not|failed to find any (node|zone)",
    ),
    Phrase(
        _C.PROVISION_CAPACITY,
        _F.CLOUD,
        r"not enough (free )?(disk |storage |capacity|space|free|room)|insufficient (capacity|storage|space|free"
        r"|disk|replicas?|resources)|no space left|InsufficientVolumeCapacity|InsufficientCapacity"
        r"|ResourceExhausted|ZONE_RESOURCE_POOL_EXHAUSTED|STOCKOUT|stockout|does not have enough"
        r"|capacity (is )?(not|un)available|SkuNotAvailable|AllocationFailed|OutOfCapacity|out of (space"
        r"|capacity)|no (node|pool|host|backend|vg|volume group) .*(enough|space|capacity)|(pool|vg|volume group"
        r"|storage) .*(full|exhausted|space)|No valid (backend|host) was found|insufficient|exhausted|no free"
        r"|unable to find .*(capacity|space)|replica scheduling failed",
    ),
    Phrase(
        _C.PROVISION_REFERENCE_MISSING,
        _F.TEMPLATE,
        r"DataSource|volumesnapshot\S* \S* ?.{0,40}not found|snapshot .{0,80}(not (found|ready|bound)"
        r"|does not exist)|source (volume|pvc|claim) .{0,60}not|error getting (PVC|snapshot)",
    ),
    Phrase(
        _C.PROVISION_REFERENCE_MISSING,
        _F.CONFIGURATION,
        r"storageclass\S* \"?\S+\"? not found|secrets? \"?\S+\"? not found|error getting (secret"
        r"|handle for DataSource|snapshot|volumesnapshot|volume attributes class)|volumesnapshot\S* .*not found"
        r"|snapshot .*(not (found|ready|bound)|does not exist)|error getting PVC|(data ?source|source (volume"
        r"|snapshot|pvc|claim)).*(not|missing)|failed to get (secret|parameter|snapshot)|VolumeAttributesClass"
        r"|failed to find a matching|is not (ready|bound)|(snapshot|image|pool|share|bucket|file ?system"
        r"|storage account|resource group|subnet|network|key|vault|class|account)\S* .*(not found|does not exist"
        r"|NotFound|could not be found|not exist|no such)|(pool|filesystem|clusterID|cluster) .*(not found"
        r"|missing|does not exist)|not found|NotFound|does not exist|empty secret|missing (secret|configuration)"
        r"|no such (pool|file|snapshot|volume|image)",
    ),
    Phrase(
        _C.PROVISION_PARAMETERS,
        _F.CONFIGURATION,
        r"InvalidArgument|Could not parse|invalid (iops|parameter|option|value|argument|type|size|fstype|volume)"
        r"|parameter|not supported|unsupported|Volume capabilit|accessModes?|access mode|InvalidParameter"
        r"|Invalid ?value|only .* supported|BadRequest|Error 400|StatusCode: 400|must be (specified|provided|set"
        r"|between|a multiple|at least)|is required|OutOfRange|requested (size|capacity|volume)|too (small"
        r"|large)|exceeds? the|minimum|incompatible|unknown (parameter|key|option)|malformed|mutually exclusive"
        r"|cannot (parse|be used|be set)|selector is not supported|claim.Spec.Selector|not valid|invalid",
    ),
    Phrase(
        _C.PROVISION_TIMEOUT,
        _F.CLUSTER_ADDON,
        r"DeadlineExceeded|deadline exceeded|timed? ?out|operation .*(in progress|already exists|pending)"
        r"|already exists|code = Aborted|connection (refused|reset|error)|unavailable|context canceled"
        r"|i/o timeout|no such host|TLS handshake|EOF|pending|still creating|not (yet )?ready"
        r"|EndpointConnectionError|send request failed|dial tcp|is being (created|processed)",
    ),
)

PROVISION = Area("provision", _PHRASES, (_C.PROVISION_TIMEOUT, _F.CLUSTER_ADDON))
