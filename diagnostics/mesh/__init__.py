"""Service mesh: sidecars."""
