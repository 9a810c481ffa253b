"""NetworkPolicies that block traffic."""
