"""Many pods and many nodes at once: what looks the same to a filter is decided once."""
