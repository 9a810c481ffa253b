"""Memory, disk and process ids that a node lacks."""
