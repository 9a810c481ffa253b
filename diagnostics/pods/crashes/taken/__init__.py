"""What a program needs and something else has: its port, its lock, its data."""
