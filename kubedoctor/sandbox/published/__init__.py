"""What the API server publishes of itself: its groups, versions, resources and schemas."""
