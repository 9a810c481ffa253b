"""How claims are bound to volumes."""
