"""Certificates, user names and passwords, and the rights that another service grants."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.families.troubles import LOGIN_AT_VAULT, PATH_AT_VAULT
from kubedoctor.replay.logs.faults import LogFault, Pattern, PatternFamily
from kubedoctor.replay.logs.subjects import host, quoted

_USER: Final = compiled_later(
    r"(?:user(?:name)?|role|account|login)[ =:]+[\"'`]?(?P<user>[\w.@-]+)[\"'`]?", re.IGNORECASE
)


def _user(message: str) -> str:
    match = _USER.search(message)
    return (
        match["user"] if match is not None and match["user"].lower() not in ("is", "or", "and", "name", "not") else ""
    )


_SECRET: Final = r"\b(?:authenticat\w+|login|log in|credentials?|passwords?|api[ _-]?keys?|access[ _-]?keys?|(?:auth|access|bearer) tokens?)\b"
_BAD: Final = r"\b(?:fail\w*|invalid|incorrect|wrong|denied|rejected|refused|expired|bad|not (?:valid|match\w*|accepted|authori[sz]ed))\b"

FAMILIES: Final = (
    PatternFamily(
        LogFault.TLS,
        (
            Pattern("x509: "),
            Pattern("certificate verify failed"),
            Pattern("certificate_verify_failed"),
            Pattern("certificate has expired"),
            Pattern("certificate is not valid"),
            Pattern("certificate signed by unknown authority"),
            Pattern("pkix path"),
            Pattern("sslhandshakeexception"),
            Pattern("sslexception"),
            Pattern("sun.security.validator.validatorexception"),
            Pattern("unable to get local issuer certificate"),
            Pattern("unable to verify the first certificate"),
            Pattern("self signed certificate"),
            Pattern("self-signed certificate"),
            Pattern(
                "certificate",
                r"certificate .*(?:unknown ca|has been revoked|name mismatch|does not match|chain.*errors)",
            ),
            Pattern("remote certificate is invalid"),
            Pattern("the ssl connection could not be established"),
            Pattern("err_tls_cert_altname_invalid"),
            Pattern("hostname/ip does not match certificate"),
            Pattern("unable_to_verify_leaf_signature"),
            Pattern("depth_zero_self_signed_cert"),
            Pattern("cert_has_expired"),
            Pattern(
                "tls: ",
                r"tls: (?:failed to verify|first record|handshake|bad certificate|unknown|no supported|private key|oversized|failed to find|server)",
            ),
            Pattern("remote error: tls"),
            Pattern("sslv3 alert"),
            Pattern("tlsv1 alert"),
            Pattern("ssl routines"),
            Pattern("wrong version number"),
            Pattern("ssl_error_"),
            Pattern("ssl_connect"),
            Pattern("ssl_ctx_"),
            Pattern("ssl: error"),
            Pattern("cannot load certificate", r"certificate (?:key )?\"(?P<subject>[^\"]+)\""),
            Pattern("invalid peer certificate"),
            Pattern("unknownissuer"),
            Pattern("no required ssl certificate was sent"),
            Pattern("http response to https client"),
            Pattern("http request was sent to https", weak=True),
            Pattern("client sent an http request to an https server"),
            Pattern("ssl is not enabled on the server"),
            Pattern("server refused tls connection"),
            Pattern("no ssl enabled connection"),
            Pattern("server does not support tls"),
            Pattern(
                "server doesn't support it", r"(?:SSL|TLS) (?:is|connection) (?:required|error).*doesn't support it"
            ),
            Pattern("server does not support ssl"),
            Pattern("does not support ssl", r"does not support SSL"),
            Pattern("err_ssl_"),
            Pattern("key values mismatch"),
            Pattern("keystore was tampered with"),
            Pattern("trustanchors parameter must be non-empty"),
            Pattern("failed to load keystore", r"keystore (?P<subject>\S+)"),
            Pattern(
                "no subject alternative",
                r"No subject alternative (?:DNS )?names? .*?(?P<subject>[\w.-]+) found|No subject alternative",
            ),
            Pattern("handshake failed", r"(?:SSL|TLS).*handshake failed"),
        ),
        host,
    ),
    PatternFamily(
        LogFault.CREDENTIALS,
        (
            Pattern("password authentication failed"),
            Pattern(
                "access denied for user",
                r"(?P<subject>Access denied for user '[^']*'@'[^']*' to database '[^']+')?Access denied for user '(?P<user>[^']+)'@'[^']+'(?! to database)",
            ),
            Pattern("access denied for user ", r"Access denied for user (?!.*to database)"),
            Pattern("authentication failed", r"(?<!peer )authentication failed(?!.*(?:certificate|ssl))"),
            Pattern("authenticationfailed"),
            Pattern("authentication failure"),
            Pattern("failed to authenticate"),
            Pattern("unable to authenticate"),
            Pattern("authenticationexception"),
            Pattern("authenticationerror"),
            Pattern("wrongpass"),
            Pattern("noauth"),
            Pattern("err auth"),
            Pattern("invalid password"),
            Pattern("invalid username or password"),
            Pattern("invalid username-password pair"),
            Pattern("invalid credentials"),
            Pattern("bad credentials"),
            Pattern("incorrect password"),
            Pattern("wrong password"),
            Pattern("password incorrect"),
            Pattern("incorrect username or password"),
            Pattern("login failed for user", r"user '(?P<subject>[^']*)'"),
            Pattern("logon denied"),
            Pattern("ora-01017"),
            Pattern("login was refused"),
            Pattern("access_refused", r"ACCESS_REFUSED - Login"),
            Pattern("no password supplied"),
            Pattern("password must be a string"),
            Pattern("no password was provided"),
            Pattern("peer authentication failed"),
            Pattern("no pg_hba.conf entry", r"user \"(?P<subject>[^\"]+)\""),
            Pattern("scram", r"SCRAM.*(?:fail|invalid|error|requires)"),
            Pattern("sasl", r"SASL.*(?:authentication|handshake).*(?:fail|error|exception)"),
            Pattern("role ", r"role \"(?P<subject>[^\"]+)\" does not exist"),
            Pattern("(401)"),
            Pattern("401 unauthorized"),
            Pattern("status code 401"),
            Pattern("statuscode: 401", weak=True),
            Pattern("http 401"),
            Pattern("unauthorized", r"(?:error|failed|:) ?\S* ?unauthorized|^unauthorized", weak=True),
            Pattern("invalid api key"),
            Pattern("api key", r"(?:incorrect|invalid|expired) api key"),
            Pattern("invalid token"),
            Pattern(
                "token",
                r"(?:token (?:is |has )?(?:expired|invalid|revoked)|(?:invalid|expired|revoked|bad) (?:\w+ )?token|check registration token)",
            ),
            Pattern("invalidclienttokenid"),
            Pattern("signaturedoesnotmatch"),
            Pattern("expiredtoken"),
            Pattern("unrecognizedclientexception"),
            Pattern("nocredentialproviders"),
            Pattern("no valid credential"),
            Pattern("unable to locate credentials"),
            Pattern("unable to load credentials"),
            Pattern("unable to load aws credentials"),
            Pattern("could not load credentials from any providers"),
            Pattern("failed to refresh cached credentials"),
            Pattern("could not find default credentials"),
            Pattern("default credentials"),
            Pattern("invalidaccesskeyid"),
            Pattern("invalid access key"),
            Pattern("aadsts"),
            Pattern("no valid credentials"),
            Pattern("invalid_client"),
            Pattern("invalid_grant"),
            Pattern("bad username or password"),
            Pattern("user not found", weak=True),
            Pattern("permission denied (publickey"),
            Pattern("could not read username for", r"for '(?P<subject>[^']+)'"),
            Pattern("authentication required", weak=True),
            Pattern("security_exception", r"missing authentication credentials|unable to authenticate"),
            Pattern("", rf"{_SECRET}.{{0,40}}{_BAD}", weak=True),
            Pattern("", rf"{_BAD}.{{0,30}}{_SECRET}", weak=True),
        ),
        _user,
    ),
    PatternFamily(
        LogFault.NOT_AUTHORIZED,
        (
            Pattern(
                "permission denied for",
                r"permission denied for (?:schema|table|relation|database|sequence|function|language|view|tablespace|foreign \w+|type) (?P<subject>[\w.\"-]+)",
            ),
            Pattern("permission denied to", r"permission denied to (?P<subject>create \w+|set \w+|\w+ \w+)"),
            Pattern(
                "error making api request",
                r"/v1/auth/\S+/login:? code:? 40[0-3]\b",
                trouble=LOGIN_AT_VAULT,
            ),
            Pattern(
                "error making api request",
                r"/v1/(?!auth/)\S+/login(?:/\S+)?:? code:? 40[0-4]\b",
                trouble=PATH_AT_VAULT,
            ),
            Pattern("error making api request", r"URL: \w+ (?P<subject>https?://\S+?):? code:? 403\b"),
            Pattern("must be owner of", r"must be owner of \w+ (?P<subject>[\w.]+)"),
            Pattern("must be superuser", r"must be superuser"),
            Pattern("access denied for user", r"to database '(?P<subject>[^']+)'"),
            Pattern("command denied to user", r"denied to user '(?P<subject>[^']+)'"),
            Pattern("access denied; you need", r"need (?:\(at least one of\) the )?(?P<subject>[\w, ()]+) privilege"),
            Pattern("is not authorized to perform", r"perform:? (?P<subject>[\w:-]+)"),
            Pattern(
                "access denied",
                r"(?:bucket|blob|container registry|object storage|\bs3\b|\bgcs\b)\S*:? .*access denied",
            ),
            Pattern("not authorized on", r"not authorized on (?P<subject>\S+)"),
            Pattern("unauthorizedoperation"),
            Pattern("accessdenied", r"AccessDenied(?!Exception:? /)"),
            Pattern("noperm", r"NOPERM.*(?:'(?P<subject>[^']+)')?"),
            Pattern("authorizationfailed", r"AuthorizationFailed|AuthorizationPermissionMismatch"),
            Pattern(
                "authorizationexception", r"(?:Topic|Group|Cluster)AuthorizationException.*(?:\[(?P<subject>[^\]]+)\])?"
            ),
            Pattern("not authorized to access", r"access (?:topics?|group): \[?(?P<subject>[^\]\s]+)"),
            Pattern("permission_denied", r"PERMISSION_DENIED|Permission '(?P<subject>[^']+)' denied"),
            Pattern("permission '", r"Permission '(?P<subject>[^']+)' denied"),
            Pattern("does not have ", r"does not have (?P<subject>[a-z]+\.[\w.]+) access"),
            Pattern("caller does not have permission"),
            Pattern("insufficient permission"),
            Pattern("insufficient privilege"),
            Pattern("insufficientprivilege"),
            Pattern("ora-01031"),
            Pattern("access to vhost", r"access to vhost '(?P<subject>[^']+)'"),
            Pattern("is unauthorized for", r"action \[(?P<subject>[^\]]+)\] is unauthorized"),
            Pattern("403 forbidden", weak=True),
            Pattern("status code 403", weak=True),
            Pattern("status code: 403", weak=True),
            Pattern("accessdeniedexception: ", r"AccessDeniedException: (?!/)", weak=True),
            Pattern("cannot open database", r"database \"(?P<subject>[^\"]+)\" requested by the login"),
        ),
        quoted,
    ),
)
