"""Secrets do not get through: not into snapshots, not into what is shown whole, not into a bundle."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubedoctor.cluster.grammar.redaction import (
    REDACTED,
    looks_secret,
    redact_annotations,
    redact_arguments,
    redact_file,
    redact_lines,
    redact_text,
    redact_value,
)
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.collect.bundles import open_bundle, write_bundle
from kubedoctor.collect.redact import redact_object
from kubedoctor.engine import load_catalogue, scan
from tests.collect import bundle_forms as forms

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD", "PGPASSWORD", "apiKey", "API_KEY", "api-key", "token", "AWS_SECRET_ACCESS_KEY", "tls.key",
     "client-key-data", "Authorization", "spring.datasource.password", "SESSION_COOKIE", "connectionString"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert looks_secret(name)
    assert redact_value(name, "hunter2") == REDACTED


@pytest.mark.parametrize(
    "name",
    ["PASSWORD_FILE", "TOKEN_PATH", "secretName", "tlsSecretName", "credentialName", "privateKeySecretRef",
     "csi.storage.k8s.io/provisioner-secret-name", "secrets", "count/secrets", "HOME", "key", "replicas"],
)  # fmt: skip
def test_names_of_places_and_counts(name: str) -> None:
    assert not looks_secret(name)
    assert redact_value(name, "/run/x") == "/run/x"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "connect postgres://app:hunter2@db:5432/shop failed",
            f"connect postgres://app:{REDACTED}@db:5432/shop failed",
        ),
        ("redis://:p@ss@cache:6379", f"redis://:{REDACTED}@cache:6379"),
        ("run --password=hunter2 --user=bob", f"run --password={REDACTED} --user=bob"),
        ("export PGPASSWORD='a b'; psql", f"export PGPASSWORD={REDACTED}; psql"),
        ('{"user": "bob", "password": "hunter2"}', f'{{"user": "bob", "password": "{REDACTED}"}}'),
        (r'"{\"token\": \"abc\"}"', rf'"{{\"token\": \"{REDACTED}\"}}"'),
        ("Authorization: Bearer abcdefgh12345678", f"Authorization: Bearer {REDACTED}"),
        (f"key:\n{KEY}\nend", f"key:\n{REDACTED}\nend"),
        ("AKIAABCDEFGHIJKLMNOP", REDACTED),
    ],
)
def test_secrets_in_text(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        'secret "db" not found',
        "couldn't find key DB_PASSWORD in Secret shop/credentials",
        "references non-existent secret key: password",
        "exceeded quota: few, requested: secrets=1, used: secrets=10, limited: secrets=10",
        "FATAL: password authentication failed for user shop",
        "--token-webhook=true --password-file=/run/secrets/password",
        "http://web:80/?mail=a@b",
        "0/3 nodes are available: 3 node(s) had untolerated taint {dedicated: token}",
    ],
)
def test_what_tells_the_cause_stays(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "DB_PASS=Zq7hunter2x run", "PGPASS='Zq7hunter2x'", "password = Zq7hunter2x", "psql --password Zq7hunter2x -U bob",
        "bob:Zq7hunter2x@tcp(db:3306)/shop", "postgres://bob:a/Zq7hunter2x@db/shop", "AccountName=a;AccountKey=Zq7hunter2x==;",
        "https://a.blob.core.windows.net/x?sv=1&sig=Zq7hunter2x%3D", "stripe sk_live_Zq7hunter2xabcdef",
        "key AIzaZq7hunter2xabcdefghijklmnopqrstuvwxyz0", "npm_Zq7hunter2xabcdefghijklmnopqrstuvwxyz01",
        "POST https://hooks.slack.com/services/T000/B000/Zq7hunter2x", "https://discord.com/api/webhooks/123456/Zq7hunter2xabc",
        "redis-server --requirepass Zq7hunter2x", "machine db login bob password Zq7hunter2x",
        'proxy_set_header Authorization "Basic Zq7hunter2xYg==";', "curl -u bob:Zq7hunter2x https://x", "Cookie: sid=Zq7hunter2x",
        '{"pass": "Zq7hunter2x"}', "got token: Zq7hunter2x from it", "X-Api-Key: Zq7hunter2x", "password: Zq7hunter2x",
    ],
)  # fmt: skip
def test_a_planted_value_is_not_in_a_text(text: str) -> None:
    assert "Zq7hunter2x" not in redact_text(text)
    assert "Zq7hunter2x" not in redact_file("notes", text)
    assert "Zq7hunter2x" not in "\n".join(redact_lines([text]))


@pytest.mark.parametrize(
    "text",
    [
        "bypass=on compass = north", "invalid token: unexpected end", "failed to fetch token: serviceaccounts is forbidden", "LOG_LEVEL = debug", "if token == expected", "the --token flag is deprecated, set --user bob",
        "Basic authentication failed", "image registry.local:5000/app@sha256:0123abcd", "http://[::1]:80/a@b", "npm_config_cache=/tmp",
        "uid 3f0c1b52-6a7e-4a0e-9d59-0123456789ab", "curl -u bob https://x", "login bob failed: no password given",
    ],
)  # fmt: skip
def test_an_innocent_value_stays(text: str) -> None:
    assert redact_text(text) == text


SECRET, LETTERS = "Zq7hunter2x", "correcthorse"


@pytest.mark.parametrize("secret", [SECRET, LETTERS])
@pytest.mark.parametrize(
    "form",
    [
        "mysql -u root -p{0} -h db", "sh -c 'mysqldump -uroot -p{0} shop > /b'", "mysqladmin ping -p'{0}'", "mariadb-admin -p{0} ping",
        "redis-cli -a {0} ping", "redis-cli -h cache -a '{0}' ping", "/usr/bin/valkey-cli -a {0}", "mongosh -u root -p {0} admin",
        "mongodump --uri x --password {0}", "sshpass -p {0} ssh x", "sshpass -p{0} ssh x", "sqlcmd -S db -U sa -P {0}",
        "docker login -u bob -p {0} registry", "ldapsearch -x -D cn=a -w {0}", "openssl enc -d -passin pass:{0}", "curl -b 'session={0}' x",
        "curl -u bob:{0} https://x", "curl -ubob:{0} x", "curl -H 'X-Api-Key: {0}' x", 'curl -H "PRIVATE-TOKEN: {0}" x',
        "Cookie: sid={0}; a=b", "Set-Cookie: session={0}; Path=/", "password: {0}", "using DB_PASSWORD: {0}", "dbPassword: {0}, user: bob",
        "login with password '{0}' failed", "password is \"{0}\"", "https://hooks.slack.com/services/T000/B000/{0}",
        "https://discord.com/api/webhooks/123456/{0}", "https://outlook.office.com/webhook/{0}@x/IncomingWebhook/y",
        "https://x.webhook.office.com/webhookb2/{0}/IncomingWebhook/y", "https://api.telegram.org/bot123456:{0}/sendMessage",
        "https://hooks.zapier.com/hooks/catch/123/{0}/", "https://events.pagerduty.com/integration/{0}/enqueue",
        "https://open.feishu.cn/open-apis/bot/v2/hook/{0}", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={0}",
        "SG.{0}abcdefgh.abcdefgh{0}abcd", "dop_v1_{0}", "hvs.{0}abcdefghijkl", "sk-ant-{0}abcdefghijkl", "xapp-1-{0}", "dckr_pat_{0}abcdef",
        "whsec_{0}abcdefgh", "shpat_{0}abcdefgh", "ya29.{0}abcdefgh",
    ],
)  # fmt: skip
def test_a_planted_value_is_in_no_command_url_or_message(form: str, secret: str) -> None:
    text = form.format(secret)
    assert secret not in redact_text(text)
    assert secret not in redact_file("notes", f"first\n{text}\nlast")
    assert secret not in "\n".join(redact_lines(["first", text, "last"]))
    assert secret not in " ".join(redact_arguments(("sh", "-c", text)))


@pytest.mark.parametrize(
    "arguments",
    [
        ("redis-cli", "-a", SECRET, "ping"), ("redis-cli", "-h", "cache", f"-a{SECRET}"), ("mysqladmin", "ping", f"-p{SECRET}"),
        ("/usr/bin/mongosh", "-u", "root", "-p", SECRET), ("sshpass", "-p", SECRET, "ssh", "x"), ("docker", "login", "-p", SECRET),
        ("sqlcmd", "-P", SECRET), ("ldapsearch", "-w", SECRET), ("openssl", "enc", "-passin", f"pass:{SECRET}"),
    ],
)  # fmt: skip
def test_options_of_known_programs(arguments: tuple[str, ...]) -> None:
    redacted = redact_arguments(arguments)
    assert SECRET not in " ".join(redacted)
    changed = [argument for argument, after in zip(arguments, redacted, strict=True) if argument != after]
    assert [SECRET in argument for argument in changed] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "redis-cli -h cache -p 6379 ping", "mysql -u root -h db shop", "mysql -P3306 -h db", "ps -a | grep redis", "mongo --port 27017 -u root",
        "docker run -p 8080:80 nginx", "docker login registry.local:5000", "curl -b cookies.txt https://x", "ldapsearch -x -H ldap://x",
        "Access denied for user 'app'@'10.0.0.1' (using password: YES)", "invalid password: required", "wrong password: mismatch",
        "password: authentication failed", "failed to read password: ENOENT", "image-pull-secret: regcred", "partition_key: orders-by-day",
        'secret "db-password" not found', "https://bob@github.com/a", "https://hooks.example.com/webhook/mutate-pods",
        "pod my-sk-worker-deployment-7f9c8d6b5-x2x4z", "pod xapp-frontend-deployment-7f9c8d6b5", "env password 'DB_PASSWORD' is not set",
        "login as bob -p", "sshpass -e ssh x", "token: 401", "bypass: enabled-by-default", "tls: unknown certificate authority",
    ],
)  # fmt: skip
def test_the_neighbours_of_these_forms_stay(text: str) -> None:
    assert redact_text(text) == text


def test_more_forms_in_files_arguments_and_annotations() -> None:
    secret = "Zq7hunter2x"
    assert redact_file("a.yaml", f"secret: |\n  {secret}\n  b\nuser: bob\n") == f"secret: |\n  {REDACTED}\nuser: bob\n"
    assert redact_file("a.yaml", "script: |\n  run\nuser: bob\n") == "script: |\n  run\nuser: bob\n"
    assert redact_file("settings", f"db:5432:shop:bob:{secret}\n") == f"db:5432:shop:bob:{REDACTED}\n"
    assert redact_arguments(("mysql", "-u", "bob", f"-p{secret}")) == ("mysql", "-u", "bob", f"-p{REDACTED}")
    assert redact_arguments(("serve", "-p8080")) == ("serve", "-p8080")
    about = {"example.com/db-password": secret, "example.com/auth-secret": "shop/basic-auth"}
    assert redact_annotations(about) == {
        "example.com/db-password": REDACTED,
        "example.com/auth-secret": "shop/basic-auth",
    }


@pytest.mark.parametrize(
    "flag",
    [
        "--authorization-mode=Node,RBAC",
        "--authorization-config=/etc/kubernetes/authorization.yaml",
        "--authorization-kubeconfig=/etc/kubernetes/scheduler.conf",
        "--authorization-always-allow-paths=/healthz,/readyz",
        "--authorization-webhook-cache-authorized-ttl=5m0s",
    ],
)
def test_how_kubernetes_authorizes_stays(flag: str) -> None:
    name, _, value = flag.partition("=")
    for command in ([flag], [name, value]):
        assert redact_arguments(command) == tuple(command)


def test_command_lines() -> None:
    given_ = ("run", "--token", "hunter2", "--user", "bob", "--password=hunter2", "-v", "--secret", "--debug")
    assert redact_arguments(given_) == (
        "run", "--token", REDACTED, "--user", "bob", f"--password={REDACTED}", "-v", "--secret", "--debug",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("url=jdbc:x\nspring.password=hunter2\n", f"url=jdbc:x\nspring.password={REDACTED}\n"),
        ("users:\n- name: bob\n  token: abc\n", f"users:\n- name: bob\n  token: {REDACTED}\n"),
        ("password:\n  file: /x\n", "password:\n  file: /x\n"),
        ("<password>hunter2</password>", f"<password>{REDACTED}</password>"),
        (".:53 {\n    forward . /etc/resolv.conf\n}\n", ".:53 {\n    forward . /etc/resolv.conf\n}\n"),
    ],
)
def test_files_in_config_maps(text: str, shown: str) -> None:
    assert redact_file("application", text) == shown


def test_a_key_over_several_lines_of_a_log() -> None:
    assert redact_lines(["before", *KEY.splitlines(), "after"]) == ("before", REDACTED, "after")


@pytest.mark.parametrize(
    "text",
    [
        'request: "GET /oauth2/callback?code=Zq7hunter2x&page=2 HTTP/1.1", host: "app"',
        '"GET /cb?page=2&state=4%2F0AZq7hunter2x%3D HTTP/1.1" 502',
        'referrer: "https://login/cas?service=app&ticket=ST-1-Zq7hunter2x"',
        "POST /saml?SAMLResponse=PHNhZq7hunter2x 413",
        "GET /bucket/key?X-Amz-Signature=Zq7hunter2x&X-Amz-Date=20261123T000000Z",
        "GET /app;jsessionid=Zq7hunter2x?page=2",
        r'{"url":"/cb?page=2\u0026code=Zq7hunter2x\u0026x=1"}',
        "GET /oauth2/start?rd=https%3A%2F%2Fapp%2Fcb%3Fcode%3DZq7hunter2x%26page%3D2",
        "GET /login?next=%2Freset%3Ftoken%3DZq7hunter2x",
        '<a href="/cb?page=2&amp;session=Zq7hunter2x">',
    ],
)
def test_a_planted_value_is_in_no_query(text: str) -> None:
    shown = redact_text(text)
    assert "Zq7hunter2x" not in shown
    assert shown.count("page") == text.count("page")
    assert "Zq7hunter2x" not in "\n".join(redact_lines([text]))


@pytest.mark.parametrize(
    "text",
    [
        "GET /list?state=available&key=customers&hash=fnv", "GET /error?code=404&page=2", "GET /order?code=20261123",
        "rpc error: code = Unavailable desc = x?", "is it up? state=Zq7hunter2x", "exit code=Zq7hunter2x, what now?",
        "postgres://db/shop?sslmode=disable&connect_timeout=10", "/v2/token?service=registry&scope=repository%3Ashop%3Apull",
        "rd=https%3A%2F%2Fapp%2Flist%3Fpage%3D2",
    ],
)  # fmt: skip
def test_other_queries_stay(text: str) -> None:
    assert redact_text(text) == text


def test_long_texts_take_linear_time() -> None:
    """A quadratic pattern would take hours for these."""
    for text in (
        "a" * 1_000_000 + "=",
        "a." * 500_000 + "://",
        "eyJ" + "a" * 1_000_000,
        '"a' * 300_000 + '":',
        "-" * 1_000_000 + "=",
        "?code=" * 200_000,
        "&state=" + "a" * 1_000_000,
        "&state=a" * 100_000 + "?",
        "%3Ftoken%3D" * 100_000,
        "%3F" + "a" * 1_000_000 + "%3D",
    ):
        assert isinstance(redact_file("x", text), str)


def planted(secret: str) -> list[dict[str, Any]]:
    """Objects that hold the secret wherever people put one."""
    applied = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": {"x": secret}})}
    web = forms.pod("web-1")
    web["metadata"]["annotations"] = applied
    web["spec"]["containers"][0] |= {
        "env": [{"name": "DB_PASSWORD", "value": secret}, {"name": "URL", "value": f"amqp://bob:{secret}@mq/x"}],
        "args": ["--token", secret, f"--api-key={secret}"],
        "command": ["sh", "-c", f"PASSWORD={secret} run"],
        "livenessProbe": {"exec": {"command": ["check", f"--password={secret}"]}},
    }
    status = web["status"]["containerStatuses"][0]
    status["lastState"]["terminated"]["message"] = f"cannot log in with password={secret}"
    status["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": f"token={secret}"}}
    web["status"]["conditions"] = [{"type": "Ready", "status": "False", "message": f"http://a:{secret}@b refused"}]
    about = {"namespace": "shop", "annotations": applied}
    return [
        web,
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", **about}, "data": {"x": secret}, "stringData": {"y": secret}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "c", **about},
            "data": {"password": secret, "app.yaml": f"user: bob\npassword: {secret}\n", "config": f'{{"token":"{secret}"}}'},
            "binaryData": {"blob": secret},
        },
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "e", "namespace": "shop"},
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1"},
            "message": f"GET https://bob:{secret}@registry.local/v2/ failed",
        },
        {
            "apiVersion": "argoproj.io/v1",
            "kind": "Rollout",
            "metadata": {"name": "r", **about},
            "spec": {"template": {"env": [{"name": "API_TOKEN", "value": secret}]}, "password": secret, "tokens": [secret]},
        },
    ]  # fmt: skip


# As generators of passwords make them: without signs that end a word in a URL or a shell.
SECRETS = st.text("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789_-+~", min_size=12, max_size=40).map(
    "Zq7".__add__
)


@settings(max_examples=40)
@given(SECRETS)
def test_a_planted_secret_is_in_no_snapshot(secret: str) -> None:
    for data in planted(secret):
        kind = data["kind"] if data["kind"] != "Rollout" else "Rollout.argoproj.io"
        decoded = convert_object(kind, data)
        assert len(decoded.objects) == 1
        assert secret not in msgspec.json.encode(decoded.objects[0]).decode()
        assert secret not in " ".join(decoded.problems)


@settings(max_examples=60)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=8).map("Zq7".__add__))
def test_any_text_is_hidden_where_a_name_says_that_it_is_secret(secret: str) -> None:
    for shown in (
        redact_value("DB_PASSWORD", secret),
        redact_file("token", secret),
        *redact_arguments([f"--password={secret}", "--token", secret]),
    ):
        assert secret not in shown


@settings(max_examples=40)
@given(SECRETS)
def test_a_planted_secret_is_in_nothing_that_is_shown_whole(secret: str) -> None:
    for data in planted(secret):
        before = json.dumps(data)
        assert secret not in json.dumps(redact_object(data))
        assert json.dumps(data) == before, "the original is left as it is"


@settings(max_examples=8)
@given(SECRETS)
def test_a_planted_secret_is_in_no_report_and_no_bundle(secret: str) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        logs = {"shop/web-1/app": {"current": f"password={secret}\n", "previous": f"Authorization: Bearer {secret}\n"}}
        state = json.loads(forms.recording(logs=logs))
        state["objects"] = [one for one in state["objects"] if one["kind"] != "Pod"] + planted(secret)
        (folder / "state.json").write_text(json.dumps(state))
        source = open_bundle((str(folder / "state.json"),))
        catalogue = load_catalogue()
        report = scan(catalogue, source.snapshot, source.gather)
        assert secret not in repr(report)
        write_bundle(source, [*catalogue.reads(), "Secret", "Rollout.argoproj.io"], folder / "out")
        written = [path for path in (folder / "out").rglob("*") if path.is_file()]
        assert (folder / "out" / "objects" / "Rollout.argoproj.io.json") in written
        for path in written:
            assert secret not in path.read_text(), path.name
