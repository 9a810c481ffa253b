"""Faults of claims, of volumes and of the CSI driver that makes them."""

from tests.real.recording.disks.claims import DISKS
from tests.real.recording.disks.of_the_cluster import DISKS_OF_THE_CLUSTER

__all__ = ["DISKS", "DISKS_OF_THE_CLUSTER"]
