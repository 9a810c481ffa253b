"""Programs that run and are ready, and do not do their work."""
