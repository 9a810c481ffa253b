"""What is said about images, sandboxes, containers and probes of pods."""
