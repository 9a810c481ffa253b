"""One container's or one pod's life."""
