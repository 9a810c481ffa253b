"""What `istioctl analyze` says of objects, by code and object (Istio, `pkg/config/analysis/analyzers`, 1.31)."""
