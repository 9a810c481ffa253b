"""What a ResourceQuota or a LimitRange refuses: apiserver/pkg/admission/plugin/resourcequota, plugin/pkg/admission/limitranger."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(
        _C.QUOTA_REQUEST_MISSING, _F.TEMPLATE, r"failed quota: .*must specify|must specify (limits|requests|cpu|memory)"
    ),
    Phrase(
        _C.QUOTA_UNUSABLE,
        _F.QUOTA,
        r"status unknown for quota|insufficient quota to (match|consume)|quota .*(not (yet )?(ready|calculated)"
        r"|unknown)|timed? ?out .*quota|unable to (get|check|evaluate) quota|resource quota evaluation timed out"
        r"|quota evaluation",
    ),
    Phrase(_C.QUOTA_EXCEEDED, _F.QUOTA, r"exceeded quota|ClusterResourceQuota|quota .*(exceeded|limit)"),
    Phrase(
        _C.QUOTA_LIMIT_RANGE,
        _F.TEMPLATE,
        r"(maximum|minimum) \S+ (usage|storage)? ?(size )?per \w+ is|max limit to request ratio per|(maximum"
        r"|minimum) .* per (Container|Pod|PersistentVolumeClaim) is|limit to request ratio",
    ),
)

QUOTA = Area("quota", _PHRASES)
