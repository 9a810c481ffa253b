"""Analyzers of policies and of what is attached to workloads."""
