"""What is read without a YAML library means the same to one."""

from __future__ import annotations

import random

import pytest
import yaml

from kubedoctor.collect.connecting.plain_yaml import block_values

WRITTEN = """apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==
    insecure-skip-tls-verify: false
    server: https://10.0.0.1:6443
  name: arn:aws:eks:eu-west-1:123456789012:cluster/shop
contexts:
- context:
    cluster: arn:aws:eks:eu-west-1:123456789012:cluster/shop
    namespace: ""
    user: admin@shop
  name: shop
current-context: shop
kind: Config
preferences: {}
users:
- name: admin@shop
  user:
    client-certificate: /home/me/.certs/a.crt
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args:
      - --region
      - eu-west-1
      - token
      command: aws
      env: null
      provideClusterInfo: false
    token: "a b"
"""


def test_what_kubectl_writes() -> None:
    assert block_values(WRITTEN) == yaml.safe_load(WRITTEN)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1",
        "a: 012",
        "a: 1e3",
        "a: 2026-01-01",
        "a: yes",
        "a: ~",
        "a: No",
        "on: b",
        "a: 'b'",
        'a: "\\x41"',
        "a: b # c",
        "# c\na: b",
        "---\na: b",
        "a: &b c",
        "a: *b",
        "a: !!str b",
        "a: |\n  b",
        "a: >-\n  b",
        "a: b\n c",
        "a: b\n  c: d",
        "a:\n  b: c\n d: e",
        "a:\n\tb: c",
        "a: b\r\n",
        "a: [b]",
        "a: {b: c}",
        "? a\n: b",
        "<<: a",
        "- a",
        "a",
        "a: b\na: c",
        " a: b",
        "a:\n- b\n  - c",
        "a:\n- b: c\n - d",
        "a:\n-",
        "a: b: c",
        "a: é",
        "",
    ],
)
def test_the_rest_is_left_to_the_library(text: str) -> None:
    assert block_values(text) is None


@pytest.mark.parametrize(
    "text", ["a:\n- - b\n  - c\n- d", "a:\n  - b: c\n    d:\n    - e\nf: g", "a:\nb:", "a:\n\n- b\n", "a: b:c\nd: -x"]
)
def test_blocks_in_blocks(text: str) -> None:
    assert block_values(text) == yaml.safe_load(text)


def test_changed_files_mean_the_same_or_are_left_to_the_library() -> None:
    chance = random.Random(1)
    read = 0
    for _ in range(1500):
        text = WRITTEN
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text))
            text = (
                text[:at]
                + chance.choice(("", " ", "  ", "\n", "\n  ", "- ", ": ", "a", "7", "-", "#", '"'))
                + text[at + chance.randint(0, 2) :]
            )
        value = block_values(text)
        if value is not None:
            read += 1
            assert value == yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), text
    assert read > 100
