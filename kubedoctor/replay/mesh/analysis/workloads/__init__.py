"""Analyzers of namespaces, workloads, Services and the control plane."""
