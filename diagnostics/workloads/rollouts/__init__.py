"""Rollouts of Deployments, StatefulSets and DaemonSets."""
