"""Pod Security admission: what a level forbids in a pod, and the change that it allows.

`k8s.io/pod-security-admission` of 1.25 to 1.37.
"""

from kubedoctor.replay.admission.pod_security.checks import Violation, violations
from kubedoctor.replay.admission.pod_security.levels import (
    BASELINE,
    ENFORCE,
    LEVELS,
    PRIVILEGED,
    RESTRICTED,
    PodSecurityLevel,
    enforced_level,
    parse_level,
)
from kubedoctor.replay.admission.pod_security.repairs import TemplateRepair, in_whole_contexts, repair

__all__ = [
    "BASELINE",
    "ENFORCE",
    "LEVELS",
    "PRIVILEGED",
    "RESTRICTED",
    "PodSecurityLevel",
    "TemplateRepair",
    "Violation",
    "enforced_level",
    "in_whole_contexts",
    "parse_level",
    "repair",
    "violations",
]
