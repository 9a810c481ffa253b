"""How claims come to volumes."""
