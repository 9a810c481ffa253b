"""Volumes that already exist: their disks and where they are attached."""
