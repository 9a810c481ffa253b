"""Guided learning on the embedded cluster."""
