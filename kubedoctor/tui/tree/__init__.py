"""The tree of what belongs to an object."""
