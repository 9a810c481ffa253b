"""Which volume a claim gets, and what keeps every other volume from it."""
