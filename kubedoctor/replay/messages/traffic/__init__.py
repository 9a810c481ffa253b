"""What is said about load balancers, Ingresses, Gateways and meshes."""
