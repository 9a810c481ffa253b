"""How the API server is reached: kubeconfig, credentials, and the one transport that lets requests out."""
