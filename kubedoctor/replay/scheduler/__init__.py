"""How the scheduler decides, and what it says."""
