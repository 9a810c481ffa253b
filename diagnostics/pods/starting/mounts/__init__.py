"""Volumes of a pod that are not attached or not mounted."""
