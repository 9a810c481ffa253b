"""Would the API server accept an object? Its schema, and the validation that no schema expresses."""
