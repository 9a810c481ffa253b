"""Which values are secrets. Structs apply this while they are decoded, so that no snapshot holds a secret.

A value is secret by the name before it (an environment variable, a key, a flag) or by its own form (a private key, a
token of a known make, a password in a URL). Names of objects, keys and files are never secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from kubedoctor.cluster.grammar.command_passwords import password_places, without_passwords
from kubedoctor.cluster.grammar.patterns import compiled_later

REDACTED = "<redacted>"

_NAME = compiled_later(
    r"passw|passphrase|passwd|pwd$|secret|token|api_?-?key|access_?-?key|private_?-?key|credential|"
    r"authorization(?!-(?:mode|config|kubeconfig|webhook|always-allow))|"
    r"client_?-?key|encryption_?-?key|signing_?-?key|auth_?-?key|account_?-?key|connection_?-?string|dsn$|_sas$|^sig$|cookie|webhook_?-?url$|"
    r"(?:^|[_.-]|db|pg|require|user|root)pass$|"
    r"\.pem$|\.key$|\.p12$|\.jks$",
    re.IGNORECASE,
)
# A name that only says where a secret is stored is not secret: PASSWORD_FILE=/run/secrets/db, secretName: db.
_PLACE = compiled_later(
    r"[_.-](FILE|PATH|DIR|NAME|NAMESPACE|REF)$|(?<=[a-z])(File|Path|Dir|Name|Namespace|Ref)$|^secret(name|namespace)$",
)
_PLACE_ANY_CASE = compiled_later(r"[_.-](file|path|dir|name|namespace|ref)$", re.IGNORECASE)
# The name of a resource, followed by names and numbers.
_RESOURCES = frozenset({"secrets", "count/secrets"})
_NO_VALUES = frozenset({"true", "false", "none", "null", "nil", "yes", "no"})

# Every quantifier that could run over a long text is bounded or starts at a word: the time stays linear.
_USER_INFO = compiled_later(
    r"(?<![a-zA-Z0-9+.-])([a-zA-Z][a-zA-Z0-9+.-]{0,30}://[^\s:/@\[]{0,256}):(?:[^\s/]{1,1024}|(?!\d{1,5}[/?#])[^\s\"'<>,]{1,1024})@"
)
_USER_TOKEN = compiled_later(r"(?<=://)(?=[A-Za-z_]{0,100}\d)(?=\d{0,100}[A-Za-z_])\w{20,}(?=@)")
_DATABASE_USER = compiled_later(r"\b([\w.-]{1,64}):[^\s@]{1,256}@(?=(?:tcp|udp|unix)\()")
_KNOWN_FORM = compiled_later(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)|"
    r"\beyJ[A-Za-z0-9_-]{10,8192}\.[A-Za-z0-9_-]{10,8192}\.[A-Za-z0-9_-]+|"
    r"\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{22,}|\bglpat-[A-Za-z0-9_-]{20,}|"
    r"\b[rs]k_live_[A-Za-z0-9]{10,}|\bAIza[\w-]{30,}|\bnpm_[A-Za-z0-9]{30,}|\bASIA[0-9A-Z]{16}\b|"
    r"\bSG\.[\w-]{16,}\.[\w-]{16,}|\bhv[sb]\.[\w-]{20,}|\bsk-(?:(?:ant|proj)-[\w-]{20,}|[A-Za-z0-9]{32,})|\bxapp-\d-[\w-]{10,}|\bpypi-AgE[\w-]{16,}|"
    r"\bdckr_pat_[\w-]{16,}|\bdop_v1_[\w-]{8,}|\bwhsec_[\w-]{16,}|\bshp(?:at|ss|pa|ca)_[\w-]{16,}|\blin_api_\w{16,}|\bya29\.[\w-]{16,}|"
    r"\bAGE-SECRET-KEY-1[0-9A-Z]{20,}|"
    r"(?<=hooks\.slack\.com/services/)[\w/-]{10,}|(?<=/api/webhooks/)\d{5,}/[\w-]{10,}|"
    r"(?<=office\.com/webhook/)[\w@/-]{10,}|(?<=/webhookb2/)[\w@/-]{10,}|(?<=api\.telegram\.org/bot)\d+:[\w-]{10,}|"
    r"(?<=/hooks/catch/)[\w/-]{10,}|(?<=pagerduty\.com/integration/)\w{8,}|(?<=/bot/v2/hook/)[\w-]{8,}|(?<=/webhook/send\?key=)[\w-]{8,}|"
    r"\bxox[abprs]-[A-Za-z0-9-]{10,}|(?<![A-Za-z0-9+/])(?:H4sI|SDRzS)[A-Za-z0-9+/=]{64,}",  # the last: packed manifests
    re.DOTALL,
)
_HEADER = compiled_later(
    r"(?i)\b(authorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?:basic|bearer|token)?\s{0,4}|bearer\s{1,4})[\w.~+/=-]{8,}"
)
_ASSIGNED = compiled_later(
    r"(?<![\w.-])(-{0,2}(?P<name>[A-Za-z_][\w.-]{0,200})(?:=|[ \t]{1,4}=(?!=)[ \t]{0,4}))(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"'&;,|)<]+)"
)
# In an argument everything after the equals sign is the value.
_ARGUMENT = compiled_later(r"(-{0,2}(?P<name>[A-Za-z_][\w.-]{0,200})=)(?P<value>.*)", re.DOTALL)
# In a sentence a colon can also introduce a cause: only text that looks random, with letters and digits, is a value.
_COLON = compiled_later(
    r"(?i)((?:token|password|passwd|\bpass|api[-_]?key):[ \t]{1,4})(?=[^\s\d]{0,200}\d)(?=[^\sa-z]{0,200}[a-z])"
    r"[\w.~+/!@#$%^&*-]{8,4096}={0,2}(?![\w:(])"
)
_NAMES_IN_PHRASES = ("pass", "key:", "token:", "secret:")
# Letters alone are a value where they stand in quotes, after a name that cannot be part of a sentence, or at the end.
_NAMED = compiled_later(
    r"((?i:\b(?:[\w-]{0,60}(?:password|passwd|passphrase|api[-_]?key|client[-_]?secret)|[\w-]{1,60}[-_](?:pass|token|(?:access|secret|private)[-_]?key)):)"
    r"[ \t]{1,4})(?P<value>[^\s\"',;)}\]]{6,})(?=[\"',;)}\]]|[ \t]*$)",
    re.MULTILINE,
)
_QUOTED_PASSWORD = compiled_later(
    r"(?i)(\b(?:password|passwd|passphrase)(?:[ \t]+(?:is|was|of))?[ \t]*[:=]?[ \t]*)(?P<value>\"[^\"\n]{4,}\"|'[^'\n]{4,}')"
    r"(?!\s+(?:is|was|not|in|must|cannot|does|of)\b)"
)
_STATED_PASSWORD = compiled_later(
    r"(?i)(\bpassword[ \t]+(?:is|was)[ \t]+)(?=[A-Za-z]{0,60}\d)(?=\d{0,60}[A-Za-z])[\w!@#$%^&*-]{8,}"
)
_OUTCOMES = frozenset(
    ["required", "invalid", "missing", "incorrect", "expired", "denied", "failed", "failure", "unauthorized", "unauthenticated", "unknown", "rejected", "forbidden", "mismatch", "mismatched", "authentication", "access", "errors", "undefined", "disabled", "enabled", "unsupported", "revoked", "malformed", "redacted", "hidden", "default", "optional", "string", "changed", "updated", "rotated"]
)  # fmt: skip
_BASIC = compiled_later(r"\b([Bb]asic\s{1,4})(?=[A-Za-z+/]{0,200}[0-9=])[A-Za-z0-9+/]{8,1000}={0,2}")
_COOKIE = compiled_later(r"(?i)\b((?:set-)?cookie:[ \t]{0,4})[^\s][^\r\n\"']*")
_CURL_USER = compiled_later(r"(\bcurl\b[^\n]{0,300}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"']{1,100}:)[^\s\"']+")
_NETRC = compiled_later(r"(\blogin\s{1,8}\S{1,200}\s{1,8}password\s{1,8})\S+")
_FLAG = compiled_later(
    r"(?<![\w-])(--(?P<name>[A-Za-z][\w-]{0,60})[ \t]{1,4})(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"'-][^\s\"']*)"
)
_NEXT_WORDS = frozenset({"flag", "option", "is", "and", "or", "must", "cannot", "in", "for", "to", "was", "has"})
_QUOTED = compiled_later(
    r"(\\{0,3}[\"'](?P<name>[\w.-]{1,100})\\{0,3}[\"']\s{0,8}:\s{0,8}\\{0,3}[\"'])(?P<value>[^\"'\\]+)"
)
_LINE = compiled_later(
    r"(?m)^([ \t]*(?:- )?[\"']?(?P<name>[A-Za-z_][\w.-]{0,200})[\"']?[ \t]*[:=][ \t]*)(?P<value>[^\s|>&*{\[][^\r\n]*)"
)
_BLOCK = compiled_later(
    r"(?m)^((?P<indent>[ \t]{0,200})(?:- )?(?P<name>[A-Za-z_][\w.-]{0,200}):[ \t]*[|>][+\d-]{0,2}[ \t]*\n)"
    r"(?P<value>(?:(?P=indent)[ \t][^\n]*(?:\n|\Z)|[ \t]*\n)+)"
)
_PGPASS = compiled_later(r"(?m)^([^\s:#]{1,255}:(?:\d{1,5}|\*):[^\s:]{1,64}:[^\s:]{1,64}:)\S+$")
_PASSWORD_KEY = compiled_later(r"(?i)passw|passphrase|api-?key|(?:^|[/._-])token$")
_ELEMENT = compiled_later(r"(<(?P<name>[A-Za-z_][\w.:-]{0,100})>)(?P<value>[^<>]{1,4096})(?=</)")
# In the query of a URL short names carry what lets its holder in: the code of OAuth, a ticket of CAS, an answer of SAML. They are
# words of other things too (`?state=running`, `?code=404`): only text that looks random is a value of those.
_QUERY_SECRETS = (
    r"(?:x-\w{2,8}-signature|signature|hmac|assertion|client_assertion|saml(?:response|request|art)|code_verifier|jwt|ticket|s?otp|totp|"
    r"jsessionid|phpsessid|session_?(?:id|state)|magic_?link)"
)
_QUERY_WORDS = r"(?:code|state|key|auth|session|sid|nonce|invite|invitation|reset|hash)"
_RANDOM = r"(?=[^\s\"'&;,|)<>\\#?]{8})(?=[^\s\"'&;,|)<>\\#?A-Z0-9]{0,1000}[A-Z0-9])(?!\d+(?:[\s\"'&;,|)<>\\#?]|\Z))"
_QUERY = compiled_later(
    rf"(?i:((?:[?&;]|\\u0026)(?:amp;)?{_QUERY_SECRETS}=)|((?:[?&;]|\\u0026)(?:amp;)?{_QUERY_WORDS}=)(?-i:{_RANDOM}))[^\s\"'&;,|)<>\\#?]+"
)
# A URL within the query of another, as the page to go back to after the login.
_QUERY_WITHIN = compiled_later(
    rf"(?i)(%(?:25)?(?:3F|26)(?:[\w-]{{0,40}}token|code|state|password|sig|{_QUERY_SECRETS})%(?:25)?3D)(?:%(?!26|2526)|[^\s\"'&;,|)<>\\#%])+"
)
# Substring searches take a quarter of the time of a pattern with as many alternatives.
_SIGNS_OF_FORM = (
    "eyJ", "-----BEGIN", "AKIA", "ASIA", "AGE-SECRET", "AIza", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox",
    "xapp-", "H4sI", "SDRzS", "k_live_", "npm_", "SG.", "hvs.", "hvb.", "sk-", "pypi-AgE", "dckr_pat_", "dop_v1_", "whsec_", "shpat_",
    "shpss_", "shppa_", "shpca_", "lin_api_", "ya29.", "hooks.slack", "/webhook", "api.telegram", "/hooks/catch/", "pagerduty.com",
    "/bot/v2/",
)  # fmt: skip
_SHORTEST_FORM = 15
_PLAIN = compiled_later(r"[a-z0-9.:/-]*|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)")
_SIGNS_IN_PLAIN = (
    "sk-",
    "xox",
    "xapp-",
    "hvs.",
    "hvb.",
    "ya29.",
    "glpat-",
    "uthorization",
    "hook",
    "api.telegram",
    "pagerduty.com",
)
_QUOTED_COLON = compiled_later(r"[\"']\s{0,8}:")
# The pods of a workload repeat their texts. Only texts without secrets are cached.
_clean: set[str] = set()
_MOST_CLEAN = 50_000
_LONGEST_CLEAN = 1024


@lru_cache(maxsize=10_000)
def looks_secret(name: str) -> bool:
    """Whether the name of an environment variable, key or flag says that its value is a secret."""
    return (
        _NAME.search(name) is not None
        and _PLACE.search(name) is None
        and _PLACE_ANY_CASE.search(name) is None
        and name not in _RESOURCES
    )


def redact_value(name: str, value: str) -> str:
    """The value, or `<redacted>` when its name marks it as secret; else the value without the secrets in it."""
    if not value:
        return value
    if looks_secret(name):
        return REDACTED
    return redact_text(value)


def redact_text(text: str) -> str:
    """A message or a line of a log without passwords in URLs, `password=…`, and what has the form of a key or token."""
    if text in _clean:
        return text
    redacted = text if is_plain(text) else _redacted(text)
    if redacted == text and len(text) <= _LONGEST_CLEAN:
        if len(_clean) >= _MOST_CLEAN:
            _clean.clear()
        _clean.add(text)
    return redacted


def is_plain(text: str) -> bool:
    """Whether a text, such as a name, an address, a hash or a time, has no form that a secret could have in a text."""
    found = _PLAIN.fullmatch(text)
    if found is None:
        return False
    is_short = len(text) < _SHORTEST_FORM or found.lastindex is not None
    return is_short or not any(map(text.__contains__, _SIGNS_IN_PLAIN))


def _redacted(text: str) -> str:
    if "://" in text:
        text = _USER_INFO.sub(rf"\1:{REDACTED}@", text)
        text = _USER_TOKEN.sub(REDACTED, text)
    if "@" in text and "(" in text:
        text = _DATABASE_USER.sub(rf"\1:{REDACTED}@", text)
    if len(text) >= _SHORTEST_FORM and any(map(text.__contains__, _SIGNS_OF_FORM)):
        text = _KNOWN_FORM.sub(REDACTED, text)
    lower = text.lower()
    if "earer" in lower or "uthorization" in lower:
        text = _HEADER.sub(rf"\1{REDACTED}", text)
    if " " in text:
        text = _without_phrases(text, lower)
    if "=" in text:
        text = _ASSIGNED.sub(_without_value, text)
        if "?" in text or ";" in text:
            text = _QUERY.sub(lambda found: f"{found[1] or found[2]}{REDACTED}", text)
    if "%3d" in lower or "%253d" in lower:
        text = _QUERY_WITHIN.sub(rf"\1{REDACTED}", text)
    return _QUOTED.sub(_without_value, text) if _QUOTED_COLON.search(text) else text


def _without_phrases(text: str, lower: str) -> str:
    """The text without secrets that follow a word and a space."""
    if ": " in text:
        text = _COLON.sub(rf"\1{REDACTED}", text)
        if any(map(lower.__contains__, _NAMES_IN_PHRASES)):
            text = _NAMED.sub(_without_word, text)
    if "passw" in lower or "passp" in lower:
        text = _STATED_PASSWORD.sub(rf"\1{REDACTED}", _QUOTED_PASSWORD.sub(_without_word, text))
    if "asic " in text:
        text = _BASIC.sub(rf"\1{REDACTED}", text)
    if "ookie:" in text:
        text = _COOKIE.sub(rf"\1{REDACTED}", text)
    if "curl" in text:
        text = _CURL_USER.sub(rf"\1{REDACTED}", text)
    if "password" in text and "login" in text:
        text = _NETRC.sub(rf"\1{REDACTED}", text)
    if "--" in text:
        text = _FLAG.sub(_without_next, text)
    return without_passwords(text, REDACTED)


def redact_file(name: str, text: str) -> str:
    """The content of a file under a key of a ConfigMap: as redact_value, and without the values of its secret entries."""
    if not text or looks_secret(name):
        return REDACTED if text else text
    text = redact_text(text)
    if ":" in text and "\n" in text:
        text = _PGPASS.sub(rf"\1{REDACTED}", _BLOCK.sub(_without_block, text))
    elif ":" in text:
        text = _PGPASS.sub(rf"\1{REDACTED}", text)
    if ":" in text or "=" in text:
        text = _LINE.sub(_without_value, text)
    return _ELEMENT.sub(_without_value, text) if "</" in text else text


def redact_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """Lines of a log without secrets, including secrets that span several lines."""
    text = "\n".join(lines)
    return tuple(redact_text(text).split("\n")) if text else ()


def redact_arguments(arguments: Iterable[str]) -> tuple[str, ...]:
    """A command line: `--password=…` and `--password …` keep the flag only."""
    redacted: list[str] = []
    flag = ""
    arguments = tuple(arguments)
    kept = dict(password_places(arguments)) if arguments else {}
    for index, argument in enumerate(arguments):
        if index in kept:
            redacted.append(f"{argument[: kept[index]]}{REDACTED}")
            flag = ""
            continue
        if flag and not argument.startswith("-") and argument.lower() not in _NO_VALUES:
            redacted.append(REDACTED)
        elif (match := _ARGUMENT.fullmatch(argument)) and looks_secret(match["name"]):
            redacted.append(_without_value(match))
        else:
            redacted.append(redact_text(argument))
        bare = argument.startswith("-") and "=" not in argument and " " not in argument
        flag = argument if bare and looks_secret(argument) else ""
    return tuple(redacted)


# Maps whose keys do not name their values: only the form of a value marks it as secret.
_FREE_KEYS = frozenset(
    [
        "labels",
        "matchLabels",
        "selector",
        "nodeSelector",
        "hard",
        "used",
        "limits",
        "requests",
        "capacity",
        "allocatable",
    ]
)
_ARGUMENTS = frozenset({"args", "command"})


def redact_annotations(annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Annotations without whole manifests, which `kubectl apply` and others store there, and without values in the form
    of a secret."""
    return {
        str(key): _redact_annotation(str(key), value) if isinstance(value, str) else value
        for key, value in annotations.items()
        if not _is_manifest(str(key))
    }


def _redact_annotation(key: str, value: str) -> str:
    return redact_value(key, value) if _names_password(key) else redact_text(value)


@lru_cache(maxsize=10_000)
def _names_password(key: str) -> bool:
    return _PASSWORD_KEY.search(key) is not None and looks_secret(key)


@lru_cache(maxsize=10_000)
def _is_manifest(key: str) -> bool:
    word = key.lower()
    return "last-applied" in word or word.rpartition("/")[2] in ("applied", "original")


def redact_data(value: Any, name: str = "", *, nulls: bool = True) -> Any:
    """Plain data of any shape, such as a custom resource's spec: redacted by the same rules at every level. `name` is
    the key of the value; empty if the key gives no hint. nulls: whether to keep them.
    """
    if isinstance(value, str):
        return redact_value(name, value) if name else redact_text(value)
    if isinstance(value, dict):
        return redact_annotations(value) if name == "annotations" else _redact_map(value, name, nulls)
    if isinstance(value, list):
        if name in _ARGUMENTS and all(isinstance(item, str) for item in value):
            return list(redact_arguments(value))
        # The elements of a list under a secret name (tokens: [...]) are secret too; of maps, their keys decide.
        return [
            redact_data(item, name if isinstance(item, str) else "", nulls=nulls)
            for item in value
            if nulls or item is not None
        ]
    return value


def _redact_map(value: Mapping[Any, Any], name: str, nulls: bool) -> dict[str, Any]:
    free = name in _FREE_KEYS
    redacted: dict[str, Any] = {}
    for key, item in value.items():
        if type(key) is not str:  # YAML allows keys of any type, JSON and Kubernetes do not.
            key = str(key)
        if type(item) is str:
            if free or not looks_secret(key):
                redacted[key] = item if item in _clean else redact_text(item)
            else:
                redacted[key] = REDACTED if item else item
        elif item is not None:
            redacted[key] = redact_data(item, key, nulls=nulls)
        elif nulls:
            redacted[key] = item
    if "value" in redacted and isinstance(value.get("name"), str) and isinstance(value["value"], str):
        redacted["value"] = redact_value(value["name"], value["value"])
    return redacted


def _without_block(match: re.Match[str]) -> str:
    if not looks_secret(match["name"]):
        return match[0]
    return f"{match[1]}{match['indent']}  {REDACTED}\n"


def _without_word(match: re.Match[str]) -> str:
    """Without a value that could be a word of a sentence, unless it tells what is wrong."""
    word = match["value"].strip("\"'").rstrip(".:!")
    told = word.lower() in _OUTCOMES or (word.isalpha() and word.isupper()) or REDACTED in match[0]  # ENOENT
    return match[0] if told else f"{match[1]}{REDACTED}"


def _without_next(match: re.Match[str]) -> str:
    """Like _without_value, for a flag that may also be part of a sentence."""
    return match[0] if match["value"].lower() in _NEXT_WORDS else _without_value(match)


def _without_value(match: re.Match[str]) -> str:
    value = match["value"].strip("\"'").rstrip(",")
    if match["name"].endswith("s") and value.isdigit():  # tokens=512 counts them
        return match[0]
    if value.lower() in _NO_VALUES or value == REDACTED or not looks_secret(match["name"].lstrip("-")):
        return match[0]
    return f"{match[1]}{REDACTED}"
