"""Why an image is not there: the kubelet (pkg/kubelet/images), containerd, CRI-O (containers/image), Docker, registries."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

NAME_NOT_RESOLVED = (
    r"no such host|server misbehaving|name resolution|name or service not known|could not resolve host"
    r"|lookup \S+( on \S+)?: .*(timeout|refused|unreachable)|failed to resolve server"
    r"|no address associated with hostname"
)
NO_ANSWER = (
    r"i/o timeout|deadline exceeded|handshake timeout|Client\.Timeout|no route to host|network is (unreachable"
    r"|down)|connection (refused|timed out)|timed out|host is (down|unreachable)|proxyconnect"
    r"|Proxy Authentication Required|request canceled"
)
UNTRUSTED = (
    r"unknown authority|self[- ]signed certificate|unable to get (local )?issuer certificate"
    r"|certificate is not trusted"
)

_PHRASES = (
    # the kubelet's own
    Phrase(_C.IMAGE_PULL_SECRET, _F.TEMPLATE, r"unable to retrieve some image pull secrets"),
    Phrase(
        _C.IMAGE_PULL_SECRET,
        _F.TEMPLATE,
        r"couldn't (get|find|parse) (image )?pull secrets?|invalid registry credentials",
    ),
    Phrase(_C.IMAGE_NEVER_PULL, _F.TEMPLATE, r"not present with pull policy of never"),
    Phrase(_C.IMAGE_RATE_LIMITED, _F.NODE, r"pull QPS exceeded"),
    Phrase(
        _C.IMAGE_INVALID_NAME,
        _F.TEMPLATE,
        r"couldn't parse image (name|reference)|invalid reference format|failed to apply default image tag"
        r"|repository name (\(\S+\) )?must be (lowercase|canonical)|invalid (checksum digest|image name"
        r"|repository name)|unsupported digest algorithm|invalid tag format|InvalidImageName",
    ),
    # what the image is
    Phrase(
        _C.IMAGE_SHORT_NAME,
        _F.TEMPLATE,
        r"did not resolve to an alias|unqualified[- ]search registries|short[- ]name mode is enforc"
        r"|short[- ]name .*ambiguous|returns ambiguous list",
    ),
    Phrase(
        _C.IMAGE_SIGNATURE,
        _F.CONFIGURATION,
        r"SignatureValidationFailed|signature validation failed|signature was required|source image rejected"
        r"|running image .* is rejected by policy|rejected by policy|no (matching|valid) signatures?"
        r"|signature (verification|for identity)|invalid GPG signature|denied by image (verification )?policy"
        r"|image verification failed|cryptographic signature verification failed",
    ),
    Phrase(
        _C.IMAGE_PLATFORM,
        _F.IMAGE,
        r"no match for platform|no matching manifest|no image found in (manifest list|image index)"
        r"|does not match the specified platform|no child with platform|choosing (an )?image (instance"
        r"|from manifest list)|image operating system .* cannot be used|cannot be used on this platform"
        r"|unsupported (platform|os|architecture)|no descriptor found for platform"
        r"|operating system is not supported|container operating system does not match the host",
    ),
    Phrase(
        _C.IMAGE_FORMAT,
        _F.IMAGE,
        r"no longer supported since containerd|schema (version )?(1|v1)\b|schema1|manifest\.v1\+(pretty|json)"
        r"|unsupported (manifest|schema|media ?type|MIME type)|mediatype in manifest should be|manifest invalid"
        r"|unsupported (docker )?v2s1|unknown (media ?type|manifest type)|unexpected media type"
        r"|not implemented: media type|is deprecated and will not be supported|unimplemented: .*manifest"
        r"|missing signature key|unable to (parse|decode) manifest|parsing manifest",
    ),
    # the node
    Phrase(
        _C.IMAGE_DISK_FULL,
        _F.NODE,
        r"no space left on device|disk quota exceeded|not enough space|no free (space|inodes)"
        r"|not enough disk space",
    ),
    # the registry's answers
    Phrase(
        _C.IMAGE_RATE_LIMITED,
        _F.REGISTRY,
        r"toomanyrequests|too many requests|\b429\b|pull rate limit|rate[- ]?limit(ed)? exceeded|rate exceeded"
        r"|exceeded .*rate limit|throttl|quota exceeded for quota metric",
    ),
    Phrase(
        _C.IMAGE_PLAIN_HTTP,
        _F.CONFIGURATION,
        r"server gave HTTP response to HTTPS client|first record does not look like a TLS handshake"
        r"|wrong version number|http: server gave HTTP",
    ),
    Phrase(_C.IMAGE_CERTIFICATE, _F.NODE, UNTRUSTED),
    Phrase(
        _C.IMAGE_CERTIFICATE,
        _F.REGISTRY,
        r"x509: |certificate (has expired|is (not yet )?valid|relies on)|tls: (failed to verify|bad certificate"
        r"|handshake failure|internal error|unrecognized name|protocol version)|remote error: tls"
        r"|certificate verify failed|certificate required",
    ),
    Phrase(
        _C.IMAGE_NOT_FOUND,
        _F.REGISTRY,
        r"(content at \S+ not found|fetching blob|reading blob|blob unknown).*(not found|unknown|404)"
        r"|content digest \S+: not found|failed to copy: .*(not found|404)",
    ),
    Phrase(
        _C.IMAGE_DENIED,
        _F.CONFIGURATION,
        r"pull access denied|may require (authorization|'docker login')|insufficient_scope"
        r"|access to the resource is denied|no basic auth credentials|failed to fetch (anonymous|oauth) token"
        r"|\bunauthorized\b|authentication (is )?required|authorization failed|\b40[13] (unauthorized|forbidden)"
        r"|status( code)?:? (from \S+ request to )?\S* ?40[13]\b|\b40[13]\b(?!/)|access ?denied"
        r"|permission (denied|\S+ denied)|\bdenied:|denied: |forbidden|authorization token has expired"
        r"|incorrect username or password|unable to retrieve auth token|invalid username/password"
        r"|not authorized to perform|artifactregistry\.repositories\.downloadArtifacts|requesting bearer token"
        r"|login attempt .* failed|credentials?.*(expired|invalid)",
    ),
    Phrase(
        _C.IMAGE_UNREACHABLE,
        _F.NODE,
        NAME_NOT_RESOLVED,
    ),
    Phrase(
        _C.IMAGE_TRANSFER,
        _F.REGISTRY,
        r"unexpected EOF|connection reset|broken pipe|: EOF\b|stream error|INTERNAL_ERROR|GOAWAY"
        r"|failed size validation|failed (commit|precondition)|unexpected commit (digest|size)"
        r"|content digest .* mismatch|digest (did not match|mismatch)|checksum mismatch|invalid (gzip|checksum"
        r"|tar header)|unexpected end|failed to (extract|unpack|register) layer|error (pulling|writing) (blob"
        r"|image)|writing blob|short read|corrupt|canceled due to no progress|context canceled|no progress"
        r"|http2: client connection (lost|force)|use of closed network connection"
        r"|error pulling image configuration.*(timeout|reset)|failed to copy: .*(timeout|timed out"
        r"|deadline exceeded)|flate|zstd|verification failed for digest",
    ),
    Phrase(
        _C.IMAGE_REGISTRY_ERROR,
        _F.REGISTRY,
        r"\b50[0234]\b( (internal|bad|service|gateway)|:|$| )|internal server error|bad gateway"
        r"|service unavailable|gateway time-?out|registry is unavailable|received unexpected HTTP status: 5"
        r"|RegistryUnavailable|temporarily unavailable|\b52\d\b |unavailable\b",
    ),
    Phrase(
        _C.IMAGE_NOT_FOUND,
        _F.TEMPLATE,
        r"not found|manifest unknown|name unknown|name_unknown|repository does not exist|does not exist|\b404\b"
        r"|no such (image|manifest)|tag .* unknown|manifest for \S+ |NAME_INVALID|project \S+ (not found"
        r"|was not found)",
    ),
    Phrase(_C.IMAGE_UNREACHABLE, _F.REGISTRY, NO_ANSWER),
)

IMAGE = Area("image", _PHRASES, (_C.IMAGE_REGISTRY_ERROR, _F.REGISTRY))
