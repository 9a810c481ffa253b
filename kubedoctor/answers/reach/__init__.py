"""Whether a connection is possible, and which policy denies it."""
