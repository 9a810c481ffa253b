"""The annotations that ingress controllers read, by the part after their prefix."""

from __future__ import annotations

from typing import Final

_NGINX: Final = """
server-alias allowlist-source-range whitelist-source-range denylist-source-range backend-protocol secure-backends grpc-backend
auth-realm auth-secret auth-secret-type auth-type canary canary-by-cookie canary-by-header canary-by-header-pattern
canary-by-header-value canary-weight canary-weight-total auth-tls-error-page auth-tls-match-cn
auth-tls-pass-certificate-to-upstream auth-tls-secret auth-tls-verify-client auth-tls-verify-depth client-body-buffer-size
configuration-snippet connection-proxy-header cors-allow-credentials cors-allow-headers cors-allow-methods cors-allow-origin
cors-expose-headers cors-max-age enable-cors custom-http-errors custom-headers default-backend disable-proxy-intercept-errors
enable-global-auth auth-always-set-cookie auth-cache-duration auth-cache-key auth-keepalive auth-keepalive-requests
auth-keepalive-share-vars auth-keepalive-timeout auth-method auth-proxy-set-headers auth-request-redirect
auth-response-headers auth-signin auth-signin-redirect-param auth-snippet auth-url fastcgi-index fastcgi-params-configmap
http2-push-preload load-balance enable-access-log enable-rewrite-log mirror-host mirror-request-body mirror-target mirror-uri
enable-modsecurity enable-owasp-core-rules modsecurity-snippet modsecurity-transaction-id enable-opentelemetry
opentelemetry-operation-name opentelemetry-trust-incoming-span enable-opentracing opentracing-trust-incoming-span
proxy-body-size proxy-buffer-size proxy-buffering proxy-buffers-number proxy-busy-buffers-size proxy-connect-timeout
proxy-cookie-domain proxy-cookie-path proxy-http-version proxy-max-temp-file-size proxy-next-upstream
proxy-next-upstream-timeout proxy-next-upstream-tries proxy-read-timeout proxy-redirect-from proxy-redirect-to
proxy-request-buffering proxy-send-timeout proxy-ssl-ciphers proxy-ssl-name proxy-ssl-protocols proxy-ssl-secret
proxy-ssl-server-name proxy-ssl-verify proxy-ssl-verify-depth limit-allowlist limit-whitelist limit-burst-multiplier
limit-connections limit-rate limit-rate-after limit-rpm limit-rps global-rate-limit global-rate-limit-window
global-rate-limit-key global-rate-limit-ignored-cidrs from-to-www-redirect permanent-redirect permanent-redirect-code
temporal-redirect temporal-redirect-code relative-redirects app-root force-ssl-redirect preserve-trailing-slash rewrite-target
ssl-redirect use-regex add-base-url base-url-scheme ssl-ciphers ssl-prefer-server-ciphers ssl-passthrough satisfy
server-snippet service-upstream affinity affinity-canary-behavior affinity-mode session-cookie-change-on-failure
session-cookie-conditional-samesite-none session-cookie-domain session-cookie-expires session-cookie-max-age
session-cookie-name session-cookie-hash session-cookie-partitioned session-cookie-path session-cookie-samesite
session-cookie-secure stream-snippet upstream-hash-by upstream-hash-by-subset upstream-hash-by-subset-size upstream-vhost
upstream-max-fails upstream-fail-timeout use-port-in-redirects x-forwarded-prefix enable-influxdb
"""
_TRAEFIK: Final = """
router.entrypoints router.middlewares router.priority router.rulesyntax router.pathmatcher router.tls router.tls.certresolver
router.tls.options router.observability.accesslogs router.observability.metrics router.observability.tracing
router.observability.traceverbosity ingress.class
"""
_ALB: Final = """
load-balancer-name group.name group.order tags ip-address-type scheme subnets security-groups
manage-backend-security-group-rules customer-owned-ipv4-pool load-balancer-attributes wafv2-acl-arn wafv2-acl-name waf-acl-id
web-acl-id shield-advanced-protection listen-ports ssl-redirect inbound-cidrs security-group-prefix-lists certificate-arn
ssl-policy target-type backend-protocol backend-protocol-version target-group-attributes healthcheck-port
healthcheck-protocol healthcheck-path healthcheck-interval-seconds healthcheck-timeout-seconds healthy-threshold-count
unhealthy-threshold-count success-codes auth-type auth-idp-cognito auth-idp-oidc auth-on-unauthenticated-request auth-scope
auth-session-cookie auth-session-timeout target-node-labels mutual-authentication multi-cluster-target-group
minimum-load-balancer-capacity ipam-ipv4-pool-id enable-frontend-nlb jwt-validation
"""
KNOWN: Final = {
    "nginx.ingress.kubernetes.io/": frozenset(_NGINX.split()),
    "traefik.ingress.kubernetes.io/": frozenset(_TRAEFIK.split()),
    "alb.ingress.kubernetes.io/": frozenset(_ALB.split()),
}
"""By prefix, of present and former versions. Newer versions may have more: only what is like one of these is wrong."""
DECIDES: Final = {
    **dict.fromkeys(("rewrite-target", "app-root", "rewrites", "path-rewrite"), "paths are not rewritten"),
    **dict.fromkeys(("backend-protocol", "secure-backends", "ssl-services"), "the backend is called with HTTP"),
    **dict.fromkeys(("auth-url", "auth-secret", "auth-type", "basic-auth-secret"), "no login is required"),
    **dict.fromkeys(
        ("whitelist-source-range", "allowlist-source-range", "denylist-source-range", "inbound-cidrs", "allow-list"),
        "every address is let in",
    ),
    **dict.fromkeys(("permanent-redirect", "temporal-redirect"), "requests are not redirected"),
    **dict.fromkeys(("canary",), "the share of the canary is not kept"),
    **dict.fromkeys(("ssl-passthrough",), "TLS ends at the controller"),
    **dict.fromkeys(("strip-path",), "paths are not rewritten"),
}
"""Settings that decide where requests go or who may send them, with what happens where no controller reads them."""
