"""What a server computes beside its objects."""
