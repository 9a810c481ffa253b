"""Troubles of well-known programs in words, and what to do, where the message alone does not say it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes.programs._redis import redis_of
from kubedoctor.cluster import Cluster, Node, Pod
from kubedoctor.findings import Evidence, Fix, has_path, quote
from kubedoctor.replay.logs.families import troubles
from kubedoctor.replay.logs.reading import LogCause


class _Known(NamedTuple):
    """text and fixes: with {node}, {account} and {message}. shows: what of the pod or its node is quoted."""

    text: str
    fixes: tuple[str, ...]
    shows: Callable[[Pod, Cluster], tuple[Evidence, ...]] = lambda *_: ()


def _its_node(pod: Pod, _: Cluster) -> tuple[Evidence, ...]:
    return (quote(pod, "spec.nodeName", "the node that it runs on"),) if pod.spec.node_name else ()


def _its_auth_path(pod: Pod, _: Cluster) -> tuple[Evidence, ...]:
    path = "metadata.annotations[vault.hashicorp.com/auth-path]"
    return (quote(pod, path, "the path of its login"),) if has_path(pod, path) else ()


def _its_kernel(pod: Pod, cluster: Cluster) -> tuple[Evidence, ...]:
    node, path = cluster.maybe.get(Node, "", pod.spec.node_name), "status.nodeInfo.kernelVersion"
    kernel = (quote(node, path, "the kernel of the node"),) if node is not None and has_path(node, path) else ()
    return (*_its_node(pod, cluster), *kernel)


_KNOWN: Final = {
    troubles.GPU_DRIVER: _Known(
        "the GPU driver of {node} is missing there or does not fit the program: {message}",
        (
            "Install or update the GPU driver of {node}, or use an image that is built for its version",
            "Or select nodes with a newer driver (label nvidia.com/cuda.driver.major)",
        ),
        _its_node,
    ),
    troubles.PAGE_SIZE: _Known(
        "the kernel of {node} has larger memory pages than the image is built for: {message}",
        ("Use an image that is built for pages of 64K, or nodes whose kernel has pages of 4K",),
        _its_kernel,
    ),
    troubles.KERNEL_TABLES: _Known(
        "the kernel of its node lacks what iptables of the image needs: {message}",
        (
            "Load the modules on the nodes: those of the table and target that are named (iptable_nat, iptable_filter, xt_REDIRECT,"
            " xt_owner) for the legacy iptables, nf_tables and nft_compat for the other",
            "Or use an image whose iptables fits the kernel (legacy or nft); of a mesh, its CNI plugin in place of the init"
            " container",
        ),
        _its_kernel,
    ),
    troubles.LEGACY_HASH: _Known(
        "Node.js 17 and later (OpenSSL 3) refuse an old hash that a package of the program uses: {message}",
        ("Update the package (webpack 5.61 or newer), or set NODE_OPTIONS=--openssl-legacy-provider in the container",),
    ),
    troubles.RAILS_KEY: _Known(
        "its encrypted credentials cannot be decrypted: RAILS_MASTER_KEY is not the key of the credentials file in the"
        " image (MessageEncryptor::InvalidMessage)",
        ("Set RAILS_MASTER_KEY to the key that the credentials file of this image was encrypted with",),
    ),
    troubles.LOST_MEMBER: _Known(
        "it joins as a new member, but the others know a member of its address (its own data is lost, or the address was"
        " another's before): {message}",
        (
            "If its volume has lost its data: remove the dead member from the ring (nodetool removenode), or start this one"
            " once with replace_address",
        ),
    ),
    troubles.BROKEN_LOG: _Known(
        "its data directory is damaged (write-ahead log): {message}",
        (
            "Restore a backup or a replica of the database; pg_resetwal lets it start, but loses transactions: copy the"
            " volume first",
        ),
    ),
    troubles.ADVERTISED: _Known(
        "the Kafka broker advertises the client's own host as its address: {message}",
        (
            "Set advertised.listeners of the broker (KAFKA_ADVERTISED_LISTENERS, KAFKA_CFG_ADVERTISED_LISTENERS) to the name"
            " of its Service",
        ),
    ),
    troubles.LIMITED_BY_THE_SERVER: _Known(
        "the Kubernetes API server limits its requests (429 Too Many Requests): {message}",
        (
            "Find whose requests fill its priority level (metrics apiserver_flowcontrol_rejected_requests_total and"
            " apiserver_flowcontrol_current_inqueue_requests), and have that program ask less often",
            "Or give service account {account} a FlowSchema that leads to a priority level of its own",
        ),
    ),
    troubles.LIMITED_BY_ITSELF: _Known(
        "it sends more requests to the Kubernetes API than its own client allows: {message}",
        ("Raise its limits (--kube-api-qps and --kube-api-burst, or what it calls them), or let it ask less often",),
    ),
    troubles.FULL_STORE: _Known(
        "etcd refuses to store anything, as its database has reached its quota (NOSPACE): {message}",
        (
            "Delete what fills it, then compact and defragment it and disarm the alarm: `etcdctl compact`, `etcdctl defrag"
            " --cluster`, `etcdctl alarm disarm`",
        ),
    ),
    troubles.FILE_TOO_OPEN: _Known(
        "it refuses a key file that others may read: {message}",
        (
            "Mount the Secret with defaultMode 0400 (or 0440 where the pod sets fsGroup), or copy the file in an init"
            " container and set its owner and mode there",
        ),
    ),
    troubles.HOST_KEY: _Known(
        "it does not know the SSH host key of the server: {message}",
        (
            "Put the server's host key into the known_hosts file that the container reads (ssh-keyscan HOST shows it: compare it)",
        ),
    ),
    troubles.WAL_ARCHIVE: _Known(
        "the archive that it has to write its WAL to is not empty: it holds the files of an earlier database: {message}",
        (
            "Give the new cluster another destinationPath or serverName for its backups (an archive belongs to one database), or"
            " restore from the archive",
        ),
    ),
    troubles.CACHE_FULL: _Known(
        "Redis has reached its own memory limit (maxmemory) and refuses to write: {message}",
        (
            "Raise maxmemory of the Redis server, below the memory limit of its container",
            "Or let it evict (maxmemory-policy, such as allkeys-lru), if what it holds may be lost; or give its keys an"
            " expiry",
        ),
    ),
    troubles.CACHE_REPLICA: _Known(
        "it writes to a Redis that is a read-only replica: {message}",
        (
            "Let it use the address of the primary, or ask Sentinel for it; a Service of all members reaches replicas too",
        ),
    ),
    troubles.CACHE_NOT_SAVED: _Known(
        "Redis refuses to write, because it cannot save its data to disk: {message}",
        ("Read the log of the Redis server: its volume is full, read-only, or denies it the right to write",),
    ),
    troubles.QUOTA_OF_A_PLAN: _Known(
        "the account that it uses at an outside service has no quota or credit left: {message}",
        (
            "Check plan, billing and usage limit of that account at the service; no setting of the cluster changes it, and"
            " asking less often does not help",
            "Or let the program use the key of another account",
        ),
    ),
    troubles.VIRTUAL_HOST: _Known(
        "RabbitMQ does not have the virtual host of its address: {message}",
        ("Correct the virtual host in its address (the path after the port), or create it (rabbitmqctl add_vhost)",),
    ),
    troubles.QUEUE: _Known(
        "RabbitMQ does not have the queue or exchange that it uses: {message}",
        ("Let the program declare it, or correct its name or the virtual host",),
    ),
    troubles.PATH_AT_VAULT: _Known(
        "it logs in to Vault at a path that does not begin with auth/, where no auth method is: {message}",
        (
            "Write auth/ before the path of the auth method (annotation vault.hashicorp.com/auth-path, or mount_path of the"
            " agent's configuration)",
        ),
        _its_auth_path,
    ),
    troubles.LOGIN_AT_VAULT: _Known(
        "Vault refuses its login: {message}",
        (
            "Bind a role of Vault's Kubernetes login to service account {account}, and compare the role's name and"
            " audience",
        ),
    ),
}


_OF_REDIS: Final = (troubles.CACHE_FULL, troubles.CACHE_NOT_SAVED)
"""What the server's own state causes: its own finding says more."""


def known_trouble(pod: Pod, cause: LogCause, message: str, cluster: Cluster) -> Story | None:
    """None where the wording is of no program's known trouble."""
    known = _KNOWN.get(cause.trouble)
    if known is None:
        return None
    words = {
        "node": f"node {pod.spec.node_name}" if pod.spec.node_name else "its node",
        "account": f"{pod.namespace}/{pod.spec.service_account_name or 'default'}",
        "message": message,
    }
    return Story(
        known.text.format_map(words),
        because_of=redis_of(pod, cluster) if cause.trouble in _OF_REDIS else (),
        evidence=known.shows(pod, cluster),
        fixes=tuple(Fix(fix.format_map(words)) for fix in known.fixes),
    )
