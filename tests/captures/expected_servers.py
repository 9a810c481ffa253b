"""What must be found in recorded faults between clients, servers and ingress controllers."""

from __future__ import annotations

EXPECTED_OF_SERVERS: dict[str, tuple[str, str]] = {
    "address-of-a-pod-that-went": ("KD1003", "no pod has"),
    "cluster-ip-of-nobody": ("KD1003", "no Service has"),
    "dns-stub-zone-is-dead": ("KD2102", "198.51.100.53"),
    "host-alias-of-nobody": ("KD1003", "hostAliases"),
    "policy-for-a-range-of-ports": ("KD2202", "8080"),
    "policy-for-dns-by-a-label-that-kube-system-lacks": ("KD2201", "name=kube-system"),
    "policy-for-dns-without-its-namespace": ("KD2201", "namespace"),
    "proxy-without-its-privilege": ("KD1003", "ermission"),
    "proxy-without-its-role": ("KD2031", "may not list"),
    "served-ingress-of-a-missing-service": ("KD2301", "wbe"),
    "served-ingress-of-a-misspelled-class": ("KD2303", "did you mean nginx"),
    "served-ingress-of-unready-pods": ("KD1012", "/ready"),
    "served-ingress-with-a-refused-snippet": ("KD2314", "configuration-snippet"),
    "served-ingress-without-a-class": ("KD2303", "class"),
    "served-ingress-without-its-certificate": ("KD2306", "web-tls"),
    "server-on-its-loopback": ("KD1003", "loopback"),
    "service-selects-two-programs": ("KD2004", "worker"),
    "slice-by-hand-of-another-service": ("KD2015", "ledgers"),
    "tls-to-a-plain-port": ("KD1003", "plain HTTP"),
}
