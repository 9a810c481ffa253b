"""Memory settings of runtimes: how large a heap may grow, and when it is collected."""
