"""Pods that admission refuses: quotas, limits, policies, webhooks."""
