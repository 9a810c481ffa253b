"""What a program wants of a file, and what should have put it there."""
