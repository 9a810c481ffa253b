"""What changed, and since when something is wrong."""
