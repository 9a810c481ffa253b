"""How the cluster is seen: the live API (read only) and recorded bundles."""
