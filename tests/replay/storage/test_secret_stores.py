"""Under which names providers mount the objects of a SecretProviderClass."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.replay.storage.secret_stores import mounted_files

AZURE = """
array:
  - |
    objectName: SQL-PASSWORD
    objectType: secret
    objectAlias: sql.password
  - |
    objectName: plain
    objectType: secret
"""
AWS = """
- objectName: prod/db
  jmesPath:
  - {path: username, objectAlias: db/user}
- {objectName: other, objectAlias: alias}
- {objectName: /a/b, pathTranslation: "-"}
- {objectName: /c/d, pathTranslation: "False"}
"""
GCP = """
- resourceName: projects/p/secrets/s/versions/latest
  path: good.txt
- resourceName: projects/p/secrets/t/versions/latest
  fileName: old.txt
"""
VAULT = """
- objectName: db-password
  secretPath: secret/data/db
  secretKey: password
"""


@pytest.mark.parametrize(
    ("provider", "parameters", "files"),
    [
        ("azure", {"objects": AZURE}, ["sql.password", "plain"]),
        ("aws", {"objects": AWS}, ["prod_db", "db_user", "alias", "-a-b", "c/d"]),
        ("gcp", {"secrets": GCP}, ["good.txt", "old.txt"]),
        ("vault", {"objects": VAULT}, ["db-password"]),
    ],
)
def test_an_alias_counts_where_there_is_one(provider: str, parameters: dict[str, Any], files: list[str]) -> None:
    read = mounted_files({"provider": provider, "parameters": parameters})
    assert read is not None
    assert list(read.values()) == files


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"provider": "akeyless", "parameters": {"objects": VAULT}},
        {"provider": "vault", "parameters": {}},
        {"provider": "vault", "parameters": {"objects": "{{ .Values.objects"}},
        {"provider": "azure", "parameters": {"objects": "array:\n- |\n  objectType: secret\n"}},
        {"provider": "gcp", "parameters": {"secrets": "- resourceName: only-this\n"}},
    ],
)
def test_what_is_not_understood_is_not_guessed(spec: dict[str, Any]) -> None:
    assert mounted_files(spec) is None
