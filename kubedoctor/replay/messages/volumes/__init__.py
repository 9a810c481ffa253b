"""What is said about volumes and claims."""
