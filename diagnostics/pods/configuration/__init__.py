"""ConfigMaps and Secrets that pods need."""
