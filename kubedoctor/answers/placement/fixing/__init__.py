"""Changes that place a pending pod: proven, worded, and as fixes with the command that makes them."""
