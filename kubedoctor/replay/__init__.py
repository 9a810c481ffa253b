"""How Kubernetes decides: pure algorithms that return verdicts, no prose for people."""
