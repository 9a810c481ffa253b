"""What an object's own status states: which conditions, phases and states mean trouble, and since when."""
