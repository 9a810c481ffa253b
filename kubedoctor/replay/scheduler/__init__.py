"""How the scheduler decides, and its messages."""
