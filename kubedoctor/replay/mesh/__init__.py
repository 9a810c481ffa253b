"""How Istio decides."""
