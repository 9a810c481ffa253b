"""kubedoctor tells why a Kubernetes workload is broken, how sure it is, and what to type next."""

__version__ = "0.1.0"
