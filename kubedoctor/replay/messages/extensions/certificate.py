"""Why a certificate is not issued or renewed: cert-manager, ACME servers, DNS providers, Vault and other issuers."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(
        _C.CERTIFICATE_RATE_LIMITED,
        _F.CLOUD,
        r"rateLimited|\b429\b|too many (certificates|failed|new|currently|registrations|requests|duplicate)"
        r"|rate limit|Rate limit",
    ),
    Phrase(
        _C.CERTIFICATE_HEALTHY,
        _F.NOTHING,
        r"^Waiting on certificate issuance from order \S+: \"?(pending|ready|processing|valid)?\"?$"
        r"|^Issuing certificate as ",
    ),
    Phrase(
        _C.CERTIFICATE_MISMATCH,
        _F.TEMPLATE,
        r"Secret was (previously )?issued for|secret was issued for|multiple certificates|another Certificate"
        r"|same (secret|Secret)|IncorrectCertificate|IncorrectIssuer|DuplicateSecretName|secretName .*(conflict"
        r"|already)|(fields|values) on existing CertificateRequest .*not|SecretMismatch|InvalidKeyPair"
        r"|does not match|not owned|owned by",
        r"(?!CAError).*",
    ),
    Phrase(
        _C.CERTIFICATE_HEALTHY,
        _F.NOTHING,
        r"is up to date and has not expired|has been successfully issued|^Stored new private key"
        r"|^Created new CertificateRequest|^The certificate has been"
        r"|^Issuing certificate as Secret does not (exist|contain)"
        r"|^Renewing certificate as renewal was scheduled|^Certificate fetched from issuer|Presented challenge"
        r"|Created Challenge|^Order completed|Domain .* verified|^Challenge scheduled"
        r"|Certificate request has been approved|^The ACME account was registered|^Signing CA verified"
        r"|Vault verified|has been approved by|Completed|^Created Order|Generating|Generated|Started|^Requested"
        r"|^Reused|private key|Successfully|Deleted old|ACME server URL host and ACME private key",
        r"(?!ErrGetKeyPair|ErrInvalidKeyPair|Failed|Pending|\w*Error|Err\w+).*",
    ),
    # The name of the issuer may be any word (`pkg/controller/certificaterequests/sync.go`, v1.16).
    Phrase(_C.CERTIFICATE_ISSUER, _F.CONFIGURATION, r"^Referenced \"?\w*Issuer\"? not found"),
    Phrase(_C.CERTIFICATE_DNS_PROVIDER, _F.CONFIGURATION, r"", r"PresentError"),
    # In the state of a Challenge, whose words have no reason (`pkg/issuer/acme/dns/route53`, v1.16).
    Phrase(_C.CERTIFICATE_DNS_PROVIDER, _F.CONFIGURATION, r"failed to (change|determine) Route ?53|route53:\w+"),
    Phrase(
        _C.CERTIFICATE_KEY_MISSING,
        _F.CONFIGURATION,
        r"Referenced secret .*not found|(error|failed|unable) (getting|to (get|load|fetch|parse"
        r"|read)) .*(keypair|key ?pair|CA issuer|CA|private key|account key|secret)|ErrGetKeyPair"
        r"|ErrInvalidKeyPair|secrets? \"?\S+\"? not found|secret .*(not found|does not exist|missing)"
        r"|no data for \"?(tls|ca)\.|certificate data|tls\.(key|crt)|no (key|such key)|signing CA"
        r"|Failed to (load|retrieve|get) .*(key|CA)|missing .*(key|secret)",
        r"(?!VaultError).*",
    ),
    Phrase(
        _C.CERTIFICATE_DNS_PROVIDER,
        _F.CONFIGURATION,
        r"Error presenting challenge|Route ?53|route53|hosted ?zone|Cloudflare|cloudflare|zone .*(not found"
        r"|could not)|clouddns|Cloud ?DNS|azuredns|Azure DNS|DNS (provider|zone)|dnsZones|failed to determine"
        r"|API token|No (zone|Zone)|acmedns|rfc2136|TSIG|digitalocean|present(ing)? .*challenge|solver webhook"
        r"|could not find (the )?(start of authority|zone|SOA)|SOA|dns01",
        r"(?!ErrRegister\w*|ErrInitIssuer|pending|Pending).*|PresentError",
    ),
    Phrase(
        _C.CERTIFICATE_REFUSED,
        _F.CONFIGURATION,
        r"denied by an approval|was denied|CertificateRequest has been denied|not (been )?approved|rejected"
        r"|Denied|urn:ietf:params:acme:error:(rejectedIdentifier|caa|badCSR|unauthorizedClient"
        r"|userActionRequired|malformed|externalAccountRequired|unsupportedIdentifier|compound)|CAA record"
        r"|rejectedIdentifier|Vault|vault|policy|not allowed (by|for)|forbidden by|role .*not|Venafi|zone .*not"
        r"|requested .*not (allowed|permitted)|is not permitted|InvalidRequest|failed to sign",
    ),
    Phrase(
        _C.CERTIFICATE_CHALLENGE_WRONG_RESPONSE,
        _F.CONFIGURATION,
        r"wrong status code|did not return|didn't return|wrong (response|key|content)|expected '?\"?200"
        r"|Invalid response from|key authorization|does not match this challenge|incorrect TXT|Incorrect TXT"
        r"|expected \S+ (but|got)|acme:error:unauthorized|\b40[34]\b|propagation: (wrong|did not)"
        r"|unexpected response",
    ),
    Phrase(
        _C.CERTIFICATE_CHALLENGE_UNREACHABLE,
        _F.CONFIGURATION,
        r"failed to perform self check|self check|propagation check failed|propagation|Timeout during connect"
        r"|likely firewall|acme:error:(connection|dns|tls)|NXDOMAIN|no valid (A|AAAA)|DNS problem|SERVFAIL"
        r"|Fetching http|connection refused|challenge .*(unreachable|timeout)|no such host|DNS record .*not yet"
        r"|not yet propagated|TXT record|context deadline",
        r"(?!ErrRegister\w*|ErrInitIssuer|Err\w+).*",
    ),
    Phrase(
        _C.CERTIFICATE_ISSUER,
        _F.CONFIGURATION,
        r"issuer|Issuer|ACME account|register|accountDoesNotExist|ErrInitIssuer|directory|acme-v02|ACME server",
        r"(?!Expired|Renewing).*",
    ),
    Phrase(
        _C.CERTIFICATE_NOT_RENEWED,
        _F.CONFIGURATION,
        r"expired|has expired|renew|back(ing)? ?off|will be retried|request has failed|failed"
        r"|not (been )?renewed|Existing issued Secret is not up to date|about to expire|BackoffFailed",
    ),
)

CERTIFICATE = Area("certificate", _PHRASES, (_C.CERTIFICATE_NOT_RENEWED, _F.CONFIGURATION))
