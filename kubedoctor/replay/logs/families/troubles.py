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
LOGIN_AT_VAULT: Final = "login at Vault"
