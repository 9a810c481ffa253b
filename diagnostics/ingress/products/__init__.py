"""Checks of one ingress controller's own rules."""
