"""The filter plugins of the scheduler, one module each."""
