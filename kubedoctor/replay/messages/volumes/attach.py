"""Why a volume is not attached: the attach-detach controller, CSI attachers, disks and machines of AWS, GCP, Azure,
OpenStack, vSphere."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(_C.ATTACH_HEALTHY, _F.NOTHING, r"(Attach|Detach)Volume\.\w+ succeeded"),
    Phrase(
        _C.ATTACH_DRIVER_MISSING,
        _F.CLUSTER_ADDON,
        r"does not contain driver|csinode\S* \S+ not found|CSINode .*not found|driver \S+ not (found|registered"
        r"|installed)|no attacher|could not find (the )?driver|failed to find plugin|CSIDriver \S+ not found"
        r"|no volume plugin matched|driver name .* not found",
    ),
    Phrase(_C.ATTACH_TIMEOUT, _F.CLUSTER_ADDON, r"not ready for workloads"),
    Phrase(_C.ATTACH_IN_USE, _F.CLOUD, r"already has other clients|access mode is SINGLE|different instance"),
    Phrase(
        _C.ATTACH_LIMIT,
        _F.CLOUD,
        r"maximum number of (data )?disks|attachment limit|AttachmentLimitExceeded|exceed(s|ed|ing)?.*(limit"
        r"|maximum).*(attach|volume|disk|device|scsi|slot)|limit exceeded|too many (volumes|disks|attach)"
        r"|no (available|free) (device|slot|scsi)|(attach|volume|disk)\S* .*(limit|maximum|max\b)"
        r"|could not (find|get) (a )?(free|available) device|MaxVolume|scsi controller.*(full|maximum|slots)"
        r"|no more (slots|devices|room)|exceeds the maximum|maximum (allowed )?(volumes|disks|devices)"
        r"|ResourceLimitExceeded|insufficient (slots|devices)",
    ),
    Phrase(
        _C.ATTACH_ZONE,
        _F.CONFIGURATION,
        r"InvalidVolume\.ZoneMismatch|ZoneMismatch|not in the same (availability )?(zone|region)"
        r"|different (availability )?zone|same (availability )?zone|wrong zone|zone .*(mismatch|does not match"
        r"|differ)|availability zone|(disk|volume) .* zone .*(instance|node|vm|machine)|cross-zone"
        r"|could not find the (disk|GCE PD).*zone|is not in zone|datacenter|datastore .*not accessible"
        r"|not accessible (from|to|by) (the )?(host|node|vm)",
    ),
    Phrase(
        _C.ATTACH_DENIED,
        _F.CONFIGURATION,
        r"LinkedAuthorizationFailed|AuthorizationFailed|UnauthorizedOperation|not authorized"
        r"|does not have (authorization|permission)|Required '\S+' permission|permission|AccessDenied"
        r"|access denied|forbidden|Unauthorized|HTTPStatusCode: 40[13]|Error 40[13]|code = (PermissionDenied"
        r"|Unauthenticated)|NoPermission|Policy doesn't allow|NoCredentialProviders|\b403\b|\b401\b|KMS.*(denied"
        r"|key)|InvalidKMSKey",
    ),
    Phrase(
        _C.ATTACH_BUSY,
        _F.CLOUD,
        r"BeingDetached|being detached|process of (detaching|attaching)|currently (detaching|attaching)",
    ),
    Phrase(_C.ATTACH_IN_USE, _F.TEMPLATE, r"already used by (?:\d+ )?pod"),
    Phrase(
        _C.ATTACH_IN_USE,
        _F.NODE,
        r"already exclusively attached|Multi-Attach",
        "",
    ),
    Phrase(
        _C.ATTACH_IN_USE,
        _F.CLOUD,
        r"RESOURCE_IN_USE|VolumeInUse|already (being )?(used|attached)|is (currently )?(in use|attached)"
        r"|attached to (a(nother)?|other|different|\S+)|in-use|Multi-Attach|currently (attached|in use)"
        r"|disk is (in use|locked)|already has an? attach|volume attachment .*being deleted"
        r"|cannot be attached.*(since|because).*attached|Failed to lock the file|file .*locked|another (vm"
        r"|instance|node|server)|is owned by",
    ),
    Phrase(
        _C.ATTACH_BUSY,
        _F.CLOUD,
        r"operation (is )?(already |still )?(in progress|pending|running|exists)|already exists|IncorrectState"
        r"|IncorrectInstanceState|InvalidVolume\.?(State)?|invalid state|conflict|Conflict|being (modified"
        r"|created|deleted|processed|updated)|RequestLimitExceeded|throttl|Too Many Requests|rate limit"
        r"|code = Aborted|OperationPreempted|PreemptedByAnother|try again later|another operation|concurrent"
        r"|in status? (\S+ )?(detaching|attaching|creating|deleting|reserved)|task_state"
        r"|AttachDiskWhileBeingDetached|busy|is not available|status must be available|must be available",
    ),
    Phrase(
        _C.ATTACH_NOT_FOUND,
        _F.CLOUD,
        r"not found|NotFound|does not exist|could not be found|no longer exists|(failed|unable) to find"
        r"|couldn't find|InvalidInstanceID|was deleted|no such (volume|disk|instance|vm)|notFound|doesn't exist"
        r"|No VM found|not find|unknown (instance|node|volume)|instance .*(terminated|gone)|missing (providerID"
        r"|instance)",
    ),
    Phrase(
        _C.ATTACH_TIMEOUT,
        _F.CLOUD,
        r"not ready|resourceNotReady|ServerError|InternalError|internal error|service unavailable"
        r"|is not in ready state|OperationTimeout",
    ),
    Phrase(
        _C.ATTACH_TIMEOUT,
        _F.CLUSTER_ADDON,
        r"timed? ?out|DeadlineExceeded|deadline exceeded|failed to attach to node|waiting for (attach|volume"
        r"|external-attacher|VolumeAttachment)|not (yet )?attached|still (attaching|detaching)|context canceled"
        r"|connection refused|unavailable|attach(ment)? (is )?stuck|failed to attach",
    ),
)

ATTACH = Area("attach", _PHRASES, (_C.ATTACH_TIMEOUT, _F.CLUSTER_ADDON))
