"""Delivery from Git and charts: Argo CD and Flux."""
