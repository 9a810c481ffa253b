"""What a server computes beside its objects: what they use, and how they are printed."""
