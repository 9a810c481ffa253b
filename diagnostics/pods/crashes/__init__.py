"""Containers that exit when they should run."""
