"""A live cluster: requests to its API server, lists, watches and followed logs."""
