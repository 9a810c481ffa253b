"""Linkerd: its components, and what its proxies let in."""
