"""How objects belong together."""
