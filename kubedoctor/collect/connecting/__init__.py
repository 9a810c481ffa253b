"""How the API server is reached: kubeconfig, credentials, and the only transport that sends requests."""
