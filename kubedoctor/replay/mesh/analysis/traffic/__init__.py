"""Analyzers of routes, destinations, gateways and hosts."""
