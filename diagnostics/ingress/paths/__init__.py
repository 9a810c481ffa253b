"""Which requests the rules and annotations of an Ingress are for."""
