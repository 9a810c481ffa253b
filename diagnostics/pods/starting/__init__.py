"""Containers that do not start."""
