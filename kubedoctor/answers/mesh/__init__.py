"""What a service mesh does for one workload: injection, routes, mutual TLS, policies."""
