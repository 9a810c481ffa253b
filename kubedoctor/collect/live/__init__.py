"""A live cluster: what is asked of its API server, listed, watched and followed."""
