"""What is typed into the prompt."""
