"""The screen of logs, and what it shows."""
