"""Diagnostics as pages."""
