"""Autoscalers that would have another number of pods than they may have."""
