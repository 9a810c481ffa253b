"""What must be found in each recorded fault of the network: the code of the first incident, and words of its summary."""

from __future__ import annotations

EXPECTED_OF_NETWORKS: dict[str, tuple[str, str]] = {
    # Services
    "client-of-a-misspelled-selector": ("KD2001", "app=wbe"),
    "client-of-a-wrong-target-port": ("KD2002", "9090"),
    "client-of-an-unknown-port-name": ("KD2002", "web"),
    "client-of-unready-pods": ("KD1012", "/ready"),
    "headless-service-with-a-target-port": ("KD1003", "8080"),
    "load-balancer-without-a-controller": ("KD2003", "no controller has handled"),
    "local-traffic-to-an-endpoint-without-node": ("KD2010", "Local"),
    "node-port-of-nobody": ("KD1003", "31081"),
    "pods-named-by-another-service": ("KD1003", "db-0.database"),
    "port-that-the-service-lacks": ("KD1012", "8080"),
    "service-tcp-for-a-udp-server": ("KD2009", "UDP"),
    "service-udp-for-a-tcp-server": ("KD2009", "UDP"),
    "slice-by-hand-of-a-pod-that-went": ("KD2007", "no pod"),
    "slice-by-hand-with-another-port-name": ("KD2007", "web"),
    # names
    "cluster-domain-misspelled": ("KD1003", "cluster.local"),
    "dns-policy-default": ("KD1003", "dnsPolicy"),
    "dns-policy-none-without-searches": ("KD1003", "search"),
    "dns-policy-of-a-host-network-pod": ("KD1003", "dnsPolicy"),
    "dns-server-of-a-pod-is-none": ("KD1003", "172.30.0.77"),
    "external-name-is-a-short-name": ("KD2006", "web"),
    "external-name-is-an-address": ("KD2006", "192.0.2.10"),
    "external-name-of-a-service-that-is-missing": ("KD2006", "ledger.default"),
    "host-of-a-service-misspelled": ("KD1003", "did you mean web"),
    "search-list-too-long": ("KD2103", "default.svc.cluster.local"),
    "service-is-in-another-namespace": ("KD1003", "default"),
    # policies
    "egress-denied-without-dns": ("KD2201", "DNS"),
    "policies-that-disagree": ("KD2202", "no policy allows ingress"),
    "policy-for-a-label-that-the-namespace-lacks": ("KD2202", "team=shop"),
    "policy-for-a-misspelled-label": ("KD2202", "did you mean app=checkout"),
    "policy-for-the-addresses-of-services": ("KD2202", "10.96.0.0/16"),
    "policy-for-the-port-of-the-service": ("KD2202", "8080"),
    "policy-for-udp": ("KD2202", "does not allow protocol TCP"),
    "policy-of-the-target-forgets-other-namespaces": ("KD2202", "namespace"),
    "policy-two-hops-away": ("KD2202", "does not match Pod"),
    "policy-without-the-api-server": ("KD2202", "6443"),
    # the cluster's DNS
    "dns-corefile-with-an-unknown-directive": ("KD2101", "forwrad"),
    "dns-forwards-to-itself": ("KD2101", "loop"),
    "dns-scaled-to-zero-with-a-client": ("KD2101", "scaled to 0"),
    "dns-upstream-is-dead": ("KD2102", "198.51.100.53"),
    "dns-without-its-ready-plugin": ("KD2101", "does not load plugin ready"),
    # entrances
    "ingress-of-a-controller-that-is-gone": ("KD2308", "k8s.io/ingress-nginx"),
    "ingress-of-a-misspelled-class": ("KD2303", "did you mean nginx"),
    "ingress-to-a-port-that-the-service-lacks": ("KD2301", "8080"),
}
