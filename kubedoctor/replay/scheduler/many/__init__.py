"""Many pods and many nodes at once: equivalent ones are decided once."""
