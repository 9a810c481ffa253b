"""Permissions: roles and their bindings."""
