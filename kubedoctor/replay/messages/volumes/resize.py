"""Why a claim does not grow: the resize controllers, the kubelet's file system resize, drivers and clouds."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(
        _C.RESIZE_HEALTHY,
        _F.NOTHING,
        r"NodeExpandVolume succeeded|resize(d)? (of \S+ |volume \S+ )?succeeded|Resize volume succeeded"
        r"|Successfully resized|waiting for user to \(re-?\)start a pod to finish|finish file system resize"
        r"|Require file ?system resize|external resizer is resizing volume|ControllerExpandVolume succeeded"
        r"|is resizing volume|external (resizer|modifier) is (resizing|modifying)|modif(y|ied|ication).*(succeed"
        r"|success)",
    ),
    Phrase(
        _C.RESIZE_DRIVER_MISSING,
        _F.CLUSTER_ADDON,
        r"waiting for an external controller|Ignoring the PVC|didn't find a plugin capable of expanding"
        r"|no (external )?resizer|not found in the list of registered|does not contain driver"
        r"|CSI driver .*not (found|support)|driver .*does not support .*(resize|expan)|no volume plugin",
    ),
    Phrase(
        _C.RESIZE_LIMIT,
        _F.CLOUD,
        r"VolumeModificationRateExceeded|MaximumRateExceeded|modification rate|maximum modification"
        r"|wait at least \d+ hours|rate exceeded|optimizing|VolumeModificationSizeLimitExceeded|LimitExceeded"
        r"|quota|limit|Throttl|Too Many|too many requests|maximum (size|volume|disk)|exceed"
        r"|currently being modified|IncorrectModificationState|insufficient|not enough|no space"
        r"|ResourceExhausted|once (in|every|per) \d+|6 hours",
    ),
    Phrase(
        _C.RESIZE_FILESYSTEM,
        _F.NODE,
        r"resize2fs|xfs_growfs|btrfs|resize of (device|format)|file ?system|growfs|e2fsck|NodeExpand|fs ?resize"
        r"|resize_fs|blkid|growpart",
        r"(?!ExternalExpanding).*",
    ),
    Phrase(
        _C.RESIZE_ONLINE_UNSUPPORTED,
        _F.TEMPLATE,
        r"Invalid volume state attached|online (expansion|resiz|resize).*(not|un)|(attached|in[- ]use|published"
        r"|mounted).*(expan|resiz)|(expan|resiz)\S* .*(attached|in[- ]use|online|running|offline|detach)"
        r"|only .*offline|must be (detached|unattached|offline|in available)|must be one of \[?available"
        r"|currently published|status must be available|is in-use|deallocat|detach (the )?(volume|disk)"
        r"|stop(ped)? the (vm|machine|pod)|LiveResize",
    ),
    Phrase(
        _C.RESIZE_DRIVER_ERROR,
        _F.CLUSTER_ADDON,
        r"resize volume|failed|error|rpc error",
    ),
)

RESIZE = Area("resize", _PHRASES, (_C.RESIZE_DRIVER_ERROR, _F.CLUSTER_ADDON))
