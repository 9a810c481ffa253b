"""Files with a state of a cluster and everything that was watched after it."""
