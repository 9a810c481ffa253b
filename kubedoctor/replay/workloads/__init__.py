"""How controllers roll their pods out."""
