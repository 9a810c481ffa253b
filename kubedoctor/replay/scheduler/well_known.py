"""Names that Kubernetes gives a meaning to (`k8s.io/api/core/v1/well_known_labels.go` and `well_known_taints.go`)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.core import Taint

CORDON: Final = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")
HOSTNAME: Final = "kubernetes.io/hostname"
