"""Rollouts, replicas, jobs."""
