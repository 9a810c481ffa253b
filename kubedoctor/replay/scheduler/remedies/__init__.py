"""Edits of a pod, of nodes and of volumes that plugins propose so that they let a pod in."""
