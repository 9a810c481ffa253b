"""Names with a meaning in Kubernetes (`k8s.io/api/core/v1`: `well_known_labels.go`, `well_known_taints.go`,
`types.go`)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.kinds.core import Taint

CORDON: Final = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")
HOSTNAME: Final = "kubernetes.io/hostname"
DEFAULT_SCHEDULER: Final = "default-scheduler"
"""The scheduler of pods without a `schedulerName`."""
ZONE: Final = "topology.kubernetes.io/zone"
REGION: Final = "topology.kubernetes.io/region"
BETA_ZONE: Final = "failure-domain.beta.kubernetes.io/zone"
BETA_REGION: Final = "failure-domain.beta.kubernetes.io/region"
KUBERNETES_OWN: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
"""The prefix of the taints by which Kubernetes itself marks the state of a node."""
CONTROL_PLANE: Final = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
"""Labels and taints of the machines of the control plane."""
