"""Linkerd: identities and policies."""
