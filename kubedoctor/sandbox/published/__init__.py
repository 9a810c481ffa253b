"""What the API server publishes about itself: its groups, versions, resources and schemas."""
