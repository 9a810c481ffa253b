"""Drivers of volumes: their controllers and their parts on the nodes."""
