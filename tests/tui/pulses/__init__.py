"""Small charts of how a cluster is."""
