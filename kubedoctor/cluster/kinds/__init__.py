"""Kubernetes objects: a struct for each kind, by API group."""
