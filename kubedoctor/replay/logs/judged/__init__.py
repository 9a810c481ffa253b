"""Lines that are judged: their levels, and what they say again and again."""
