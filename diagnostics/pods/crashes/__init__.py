"""Containers that end when they should run."""
