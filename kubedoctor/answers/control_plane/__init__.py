"""How the control plane is set up, as far as its pods, leases and configuration are visible."""
