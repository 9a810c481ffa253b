"""How the kubelet starts, probes and restarts containers, and the meaning of its messages."""
