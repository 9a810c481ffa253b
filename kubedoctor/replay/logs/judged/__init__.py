"""Lines that are judged: their levels, and the failures that they repeat."""
