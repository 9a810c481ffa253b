"""Pods that are being deleted."""
