"""Sidecars and routes."""
