"""What must be found in each sick capture: the code of the first incident, and the deciding value that it must quote."""

from __future__ import annotations

EXPECTED: dict[str, tuple[str, str]] = {
    # pods
    "bad-command": ("KD1004", "/usr/bin/checkout"),
    "completes-as-deployment": ("KD1003", "exits with code 0"),
    "configmap-key-missing": ("KD1010", "CURRENCY"),
    "configmap-missing": ("KD1009", "checkout-settings"),
    "crash-bad-config": ("KD1003", "config.json"),
    "crash-dependency-down": ("KD1203", "spec.replicas=0"),
    "ephemeral-storage-over-limit": ("KD1017", "60Mi"),
    "host-port-in-use": ("KD1003", "10250"),
    "hostpath-missing": ("KD1019", "/srv/checkout"),
    "image-name-invalid": ("KD1007", "Checkout:1.4.2"),
    "image-never-pull": ("KD1008", "Never"),
    "image-registry-unknown": ("KD1006", "registry.shop.intern"),
    "image-tag-missing": ("KD1001", "checkout:9.9.9"),
    "image-unauthorized": ("KD1002", "registry-login"),
    "image-wrong-architecture": ("KD1004", "exec format error"),
    "init-container-crash": ("KD1016", "wait-for-payments"),
    "liveness-kill-loop": ("KD1013", "liveness"),
    "oom-killed": ("KD1005", "128Mi"),
    "local-volume-path-missing": ("KD1019", "disk-lost"),
    "out-of-cpu-at-kubelet": ("KD1020", "cpu"),
    "permission-denied": ("KD1003", "/data"),
    "post-start-hook-failing": ("KD1018", "postStart"),
    "read-only-filesystem": ("KD1003", "/data"),
    "readiness-failing": ("KD1012", "/ready"),
    "readiness-wrong-port": ("KD1012", "8081"),
    "rollout-bad-image": ("KD1001", "web:2.0.0-rc1"),
    "run-as-non-root": ("KD1015", "runAsNonRoot"),
    "secret-volume-missing": ("KD1011", "checkout-tls"),
    "service-name-wrong": ("KD1003", "payment.shop.svc"),
    "sidecar-failing": ("KD1016", "proxy"),
    "startup-probe-too-short": ("KD1014", "startup"),
    "statefulset-stuck-rollback": ("KD1001", "db:3.0.0"),
    "terminating-finalizer": ("KD1022", "shop.example/release-lock"),
    "terminating-slow": ("KD1021", "10m"),
    # scheduling
    "anti-affinity-too-few-nodes": ("KD1101", "anti-affinity"),
    "cordoned-nodes": ("KD1101", "cordoned"),
    "host-port-conflict": ("KD1101", "8443"),
    "insufficient-cpu": ("KD1101", "6"),
    "node-selector-typo": ("KD1101", "disktype=ssd"),
    "node-too-many-pods": ("KD1101", "12"),
    "preemption": ("KD1101", "cpu"),
    "progress-deadline": ("KD1101", "5"),
    "pvc-read-write-once-pod": ("KD1101", "ReadWriteOncePod"),
    "resource-claim-unallocatable": ("KD1101", "gpu.shop.example"),
    "scheduling-gate": ("KD1102", "shop.example/approval"),
    "topology-spread-stuck": ("KD1101", "maxSkew 1"),
    "untolerated-taint": ("KD1101", "team=payments:NoSchedule"),
    "volume-node-affinity-conflict": ("KD1101", "worker-b"),
    # nodes
    "node-disk-pressure": ("KD4002", "DiskPressure"),
    "node-kubelet-dead": ("KD4001", "Unknown"),
    "node-lost": ("KD4001", "Unknown"),
    "node-no-cni": ("KD4001", "cni plugin not initialized"),
    "node-version-skew": ("KD4003", "1.33.4"),
    # control plane
    "metrics-apiservice-down": ("KD4101", "kube-system/metrics-server"),
    # workloads
    "cronjob-concurrency-forbid": ("KD1209", "sync-29924068"),
    "cronjob-never-runs": ("KD1208", "0 3 31 2 *"),
    "cronjob-suspended": ("KD1205", "suspend"),
    "hpa-no-metrics": ("KD1302", "metrics.k8s.io"),
    "hpa-target-missing": ("KD1301", "checkout"),
    "pdb-blocks-drain": ("KD1206", "worker-b"),
    "job-backoff-limit": ("KD1204", "BackoffLimitExceeded"),
    "job-deadline-exceeded": ("KD1204", "DeadlineExceeded"),
    "rollout-paused": ("KD1202", "paused"),
    # services and dns
    "dns-corefile-broken": ("KD2101", "loadbalanse"),
    "dns-down": ("KD2101", "spec.replicas=0"),
    "ingress-backend-missing": ("KD2301", "payments"),
    "load-balancer-pending": ("KD2003", "LoadBalancer"),
    "service-selector-typo": ("KD2001", "app=chekout"),
    "service-target-port-name": ("KD2002", "web"),
    "service-target-port-wrong": ("KD2002", "9090"),
    # storage
    "pv-released-claimref": ("KD3001", "Released"),
    "pvc-missing-for-pod": ("KD3002", "reports-data"),
    "pvc-missing-storageclass": ("KD3001", "fast-ssd"),
    "pvc-no-default-class": ("KD3001", "default"),
    "pvc-terminating-in-use": ("KD3003", "db-0"),
    "pvc-too-large": ("KD3001", "50Gi"),
    # admission
    "crd-terminating": ("KD5104", "customresourcecleanup"),
    "namespace-terminating": ("KD5104", "shop.example/cleanup"),
    "admission-policy-denies": ("KD5103", "only-released-images"),
    "limitrange-violation": ("KD5103", "container-bounds"),
    "missing-priority-class": ("KD5103", "shop-critical"),
    "missing-service-account": ("KD5103", "checkout-bot"),
    "pod-security-restricted": ("KD5103", "restricted"),
    "quota-exceeded": ("KD5101", "team-quota"),
    "quota-needs-requests": ("KD5102", "limits.cpu"),
    "webhook-no-endpoints": ("KD1203", "spec.replicas=0"),
}

# What only an event tells: nothing in status or spec decides it, so nothing is claimed without the events.
ONLY_EVENTS_TELL: dict[str, str] = {
    "hostpath-missing": "the pod waits with ContainerCreating; which volume cannot be mounted stands in an event",
    "local-volume-path-missing": "the same",
    "ephemeral-storage-over-limit": "the evicted pod's process ended with 0, so its status says Succeeded",
}

EXPECTED_WITHOUT_EVENTS: dict[str, tuple[str, str]] = {
    name: wanted for name, wanted in EXPECTED.items() if name not in ONLY_EVENTS_TELL
}
