"""What must be found in each recorded state of claims, volumes and their driver."""

from __future__ import annotations

EXPECTED_OF_DISKS: dict[str, tuple[str, str]] = {
    "disk-attached-to-another-machine": ("KD1019", "db-old-7"),
    "disk-attributes-refused": ("KD3009", "type must be standard or fast"),
    "disk-denied-to-the-driver": ("KD3001", "not allowed to create disks"),
    "disk-device-is-busy": ("KD1019", "mount point busy"),
    "disk-for-many-nodes": ("KD3001", "ReadWriteMany"),
    "disk-grown-too-large": ("KD3004", "maximum of 17179869184 bytes"),
    "disk-in-a-zone-without-nodes": ("KD1101", "zone-b"),
    "disk-is-full": ("KD1003", "8Mi"),
    "disk-larger-than-possible": ("KD3001", "maximum of 17179869184 bytes"),
    "disk-of-an-unknown-parameter": ("KD3001", "tpye"),
    "disk-of-another-user": ("KD1003", "/data/orders.db"),
    "disk-with-a-damaged-file-system": ("KD1019", "bad superblock"),
    "driver-controller-scaled-to-zero": ("KD1203", "scaled to 0"),
    "driver-left-the-node": ("KD1103", "disks=yes"),
    "driver-not-on-the-node": ("KD1103", "disks=yes"),
    "driver-without-attacher": ("KD3013", "without csi-attacher"),
    "kept-volume-is-wanted-again": ("KD3001", "Released"),
    "restore-of-a-misspelled-snapshot": ("KD3001", "did you mean VolumeSnapshot daily"),
    "restore-smaller-than-its-snapshot": ("KD3001", "less than the size"),
    "snapshot-of-a-misspelled-class": ("KD3005", "did you mean disks"),
}
