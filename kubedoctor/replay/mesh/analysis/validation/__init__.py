"""What istiod's validation rejects, kind by kind (Istio, `pkg/config/validation`, 1.31)."""
