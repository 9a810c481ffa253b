"""A pod without a node."""
