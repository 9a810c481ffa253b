"""What was seen, what was not, and how it is read and quoted."""
