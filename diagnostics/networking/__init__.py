"""Policies that keep traffic out."""
