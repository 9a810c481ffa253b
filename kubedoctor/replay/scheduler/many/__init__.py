"""Many pods and many nodes at once: what cannot be told apart is decided once."""
