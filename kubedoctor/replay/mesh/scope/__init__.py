"""What the sidecar of a workload sees: services, virtual services and merged destination rules."""
