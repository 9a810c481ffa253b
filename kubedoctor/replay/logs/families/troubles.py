"""Troubles of well-known programs whose message alone does not say what to do."""

from __future__ import annotations

from typing import Final

GPU_DRIVER: Final = "GPU driver"
PAGE_SIZE: Final = "page size of the kernel"
LEGACY_HASH: Final = "hash of OpenSSL 1"
RAILS_KEY: Final = "RAILS_MASTER_KEY"
LOST_MEMBER: Final = "member without its data"
BROKEN_LOG: Final = "write-ahead log"
ADVERTISED: Final = "advertised listeners"
FILE_TOO_OPEN: Final = "file that others may read"
WAL_ARCHIVE: Final = "archive of an earlier database"
HOST_KEY: Final = "host key of SSH"
PATH_AT_VAULT: Final = "path of the login at Vault"
LOGIN_AT_VAULT: Final = "login at Vault"
LIMITED_BY_THE_SERVER: Final = "limit of the API server"
LIMITED_BY_ITSELF: Final = "limit of its own client"
FULL_STORE: Final = "quota of etcd"
KERNEL_TABLES: Final = "tables of iptables"
CACHE_FULL: Final = "maxmemory of Redis"
CACHE_REPLICA: Final = "replica of Redis"
CACHE_NOT_SAVED: Final = "snapshot of Redis"
ARCHIVE_COMMAND: Final = "archive_command of PostgreSQL"
QUOTA_OF_A_PLAN: Final = "quota of a plan"
VIRTUAL_HOST: Final = "virtual host of RabbitMQ"
QUEUE: Final = "queue of RabbitMQ"
