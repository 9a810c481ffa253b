"""Certificates of nodes, and the clocks that judge them."""
