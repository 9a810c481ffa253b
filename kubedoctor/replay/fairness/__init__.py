"""How the API server shares its capacity among requests (API Priority and Fairness)."""
