"""Diagnostics of a company's own kinds: what any package may do."""
