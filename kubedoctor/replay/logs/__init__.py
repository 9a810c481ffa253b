"""What the logs of programs say."""
