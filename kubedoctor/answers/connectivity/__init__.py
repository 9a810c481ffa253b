"""Which workloads may connect to which: all pairs at once."""
