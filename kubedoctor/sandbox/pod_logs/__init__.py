"""Logs of containers, as the API server and the kubelet serve them."""
