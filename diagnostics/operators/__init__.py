"""What operators make: certificates and secrets."""
