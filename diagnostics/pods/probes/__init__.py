"""Probes that fail."""
