"""The scheduler's own messages, and their comparison with a replay."""
