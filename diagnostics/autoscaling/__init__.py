"""Autoscalers that cannot scale, or not as far as they should."""
