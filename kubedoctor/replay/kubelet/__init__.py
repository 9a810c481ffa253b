"""How the kubelet starts, probes and restarts containers, and how its messages and a crashing program's log are read."""
