"""Edits of a pod, of nodes and of volumes that plugins propose so that a pod fits."""
