"""Files that were not applied: what the API server refuses, and what it takes and nothing acts on."""
