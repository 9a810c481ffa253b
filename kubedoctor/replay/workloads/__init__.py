"""How controllers roll out their pods."""
