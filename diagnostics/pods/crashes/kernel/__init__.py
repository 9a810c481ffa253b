"""What the kernel refuses a program: limits, settings and rights."""
