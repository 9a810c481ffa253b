"""Istio: what is wrong at a gateway, one diagnostic per file."""
