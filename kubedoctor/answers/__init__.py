"""What people ask: one folder a question."""
