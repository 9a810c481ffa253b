"""Alerts as monitoring sends them, and the objects that they are about."""
