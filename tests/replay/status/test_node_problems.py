"""Which conditions of a node state a problem."""

from __future__ import annotations

import pytest

from kubedoctor.cluster.kinds.core import Node, NodeStatus
from kubedoctor.cluster.kinds.meta import Condition
from kubedoctor.replay.status.node_problems import node_problems


@pytest.mark.parametrize(
    ("name", "status", "problem"),
    [
        ("KernelDeadlock", "True", True),
        ("KernelDeadlock", "False", False),
        ("KernelDeadlock", "Unknown", False),
        ("ReadonlyFilesystem", "True", True),
        ("FrequentKubeletRestart", "True", True),
        ("FrequentContainerdRestart", "True", True),
        ("FrequentUnregisterNetDevice", "True", True),
        ("CorruptDockerOverlay2", "True", True),
        ("NTPProblem", "True", True),
        ("KubeletProblem", "True", True),
        ("FilesystemCorruptionProblem", "False", False),
        ("ContainerRuntimeUnhealthy", "True", True),
        ("XfsShutdown", "True", True),
        ("CperHardwareErrorFatal", "True", True),
        ("GPUMissing", "True", True),
        ("UnhealthyNvidiaDevicePlugin", "True", True),
        ("XIDErrors", "True", True),
        ("RebootScheduled", "True", True),
        ("VMEventScheduled", "False", False),
        # Positive by their name: EKS and others.
        ("KernelReady", "True", False),
        ("KernelReady", "False", True),
        ("AcceleratedHardwareReady", "False", True),
        ("StorageReady", "Unknown", False),
        ("NetworkingReady", "True", False),
        # Of an unknown meaning.
        ("EtcdIsVoter", "True", False),
        ("EtcdIsVoter", "False", False),
        ("Synchronised", "True", False),
        # Of the kubelet: they have diagnostics of their own.
        ("Ready", "False", False),
        ("MemoryPressure", "True", False),
        ("NetworkUnavailable", "True", False),
    ],
)
def test_by_the_name_of_the_condition(name: str, status: str, problem: bool) -> None:
    node = Node(status=NodeStatus(conditions=(Condition(type=name, status=status),)))
    assert [stated.type for stated in node_problems(node)] == ([name] if problem else [])
