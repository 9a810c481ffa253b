"""Why an autoscaler does not scale: pkg/controller/podautoscaler, the metrics APIs and their adapters."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(
        _C.HPA_HEALTHY,
        _F.NOTHING,
        r"^New size: \d+|recommended size matches|the HPA (controller )?was able to"
        r"|desired (replica )?count is within|ready for a new scale|HPA was able to|scaling is (active"
        r"|not limited)|recent recommendations were higher|within the acceptable range|succeeded (in|to)",
    ),
    Phrase(
        _C.HPA_AMBIGUOUS,
        _F.TEMPLATE,
        r"controlled by more than one HPA|more than one HPA|AmbiguousSelector|multiple (services|HPA)",
    ),
    Phrase(
        _C.HPA_TARGET_MISSING,
        _F.TEMPLATE,
        r"unable to get the target's current scale|no matches for kind|FailedGetScale|target's current scale"
        r"|selector is required|selector .*(missing|invalid|couldn't)|scale target|does not (have"
        r"|implement) (the |a )?scale|couldn't convert selector|invalid scaleTargetRef|scaleTargetRef"
        r"|scale subresource",
    ),
    Phrase(
        _C.HPA_BOUNDED,
        _F.CONFIGURATION,
        r"more than the maximum|less than the minimum|scaling is disabled|ScalingDisabled"
        r"|replica count (of the target )?is zero|max(imum)? (scale|replica)|increasing faster than"
        r"|decreasing faster than|limited by|TooManyReplicas|TooFewReplicas|zero",
    ),
    Phrase(
        _C.HPA_REQUEST_MISSING,
        _F.TEMPLATE,
        r"missing request for|container \S+ not present|no request|requests? (is|are|was) not (set|specified"
        r"|defined)|container .*not (found|present) in (metrics|pod)|missing request",
    ),
    Phrase(
        _C.HPA_EXTERNAL_METRIC,
        _F.CLUSTER_ADDON,
        r"external metrics? API|custom metrics? API|external\.metrics\.k8s\.io|custom\.metrics\.k8s\.io"
        r"|external metric|custom metric|pods? metric|object metric|GetObjectMetric|GetPodsMetric"
        r"|unable to get metric |FailedGet(External|Pods|Object)\w*|scaler|ScaledObject|trigger|keda|prometheus"
        r"|could not find the metric|unable to fetch metrics from (external|custom)",
    ),
    Phrase(
        _C.HPA_METRICS_API_DOWN,
        _F.CLUSTER_ADDON,
        r"unable to fetch metrics from resource metrics API|metrics\.k8s\.io"
        r"|could not find the requested resource|currently unable to handle|the server is"
        r"|metrics API (is )?not available|connection refused|no route|deadline|heapster|forbidden|x509",
    ),
    Phrase(
        _C.HPA_NO_METRICS,
        _F.CLUSTER_ADDON,
        r"no metrics returned|metrics for pods|no metrics known",
    ),
    Phrase(
        _C.HPA_NO_METRICS,
        _F.TEMPLATE,
        r"did not receive metrics|no (recent|valid)? ?metrics|pods might be unready|no ready pods"
        r"|unable to calculate ready|metrics? (for|of) (targeted )?pods|no pods|failed to get \S+ utilization"
        r"|failed to get",
    ),
)

HPA = Area("hpa", _PHRASES, (_C.HPA_NO_METRICS, _F.CLUSTER_ADDON))
