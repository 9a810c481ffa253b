"""Memory of a container: its limit, who set it, and what fills it."""
