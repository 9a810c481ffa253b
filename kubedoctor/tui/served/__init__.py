"""The columns of lists that a server computes: what is used, and what `kubectl get` prints."""
