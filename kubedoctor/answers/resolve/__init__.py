"""What does a name resolve to in a pod? The resolv.conf, every query, who answers it, and what the program gets."""
