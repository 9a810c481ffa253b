"""Objects that are refused."""
