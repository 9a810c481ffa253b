"""What happened to the objects while they were watched: a bounded record, and the way back through it."""
