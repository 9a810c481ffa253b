"""How Istio decides about sidecars."""
