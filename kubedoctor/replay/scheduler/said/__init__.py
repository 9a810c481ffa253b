"""The scheduler's own messages, and a replay held against them."""
