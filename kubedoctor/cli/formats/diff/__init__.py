"""A comparison as text and as data."""
