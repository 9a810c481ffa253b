"""The columns of lists that a server computes."""
