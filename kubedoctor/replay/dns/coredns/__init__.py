"""CoreDNS: how it reads its configuration, what it refuses to load, what it answers."""
