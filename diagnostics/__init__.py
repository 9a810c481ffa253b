"""The built-in diagnostics."""
