"""Whether the API server can call the webhooks that it is to ask."""
