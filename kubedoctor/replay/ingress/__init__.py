"""Ingresses: the controllers that serve them."""
