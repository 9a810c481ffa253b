"""How Kubernetes writes and reads values: quantities, selectors, durations, versions, names."""
