"""Causes in the logs of programs."""
