"""The snapshot: what was and was not seen, and how it is read and quoted."""
