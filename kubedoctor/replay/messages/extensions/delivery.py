"""Why a delivery is stuck: Argo CD, Flux (source, kustomize and helm controllers), Helm."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(
        _C.DELIVERY_HEALTHY,
        _F.NOTHING,
        r"^(Scaled (up|down) |Created pod: |Deleted pod: |Deployment (has|does not have)"
        r"|ReplicaSet \S+ (has successfully|is progressing)|Applied revision|stored artifact"
        r"|Reconciliation (finished|in progress|succeeded)|Helm (install|upgrade|test|rollback"
        r"|uninstall) succeeded|Running health checks|Fetched revision|successfully synced"
        r"|Sync operation to .*succeeded|Updated (sync|health) status|garbage collected|pulled|no changes since"
        r"|artifact up-to-date|Health check passed|initiated automated sync|reconciliation in progress"
        r"|building artifact|Fulfilling prerequisites|Running '\w+' action|Detecting drift"
        r"|create Pod \S+ in \S+ \S+ successful|delete Pod \S+ in)|resumed$|^Created new replica set"
        r"|artifact is up-to-date|^(Verified|up-to-date)|released? \S+ (succeeded|.*succeeded)|^Initiated"
        r"|Application has \d+ orphaned|^Partial sync operation to .* succeeded|is progressing\.?$"
        r"|minimum availability\.$",
    ),
    Phrase(
        _C.DELIVERY_DECRYPT,
        _F.CONFIGURATION,
        r"decrypt|sops|SOPS|data key|age identit|gpg|GPG key|PGP",
    ),
    Phrase(
        _C.DELIVERY_NOT_BY_HELM,
        _F.CONFIGURATION,
        r"\w+ \S+ in namespace \S+ exists and cannot be imported(?!.*current value is).*missing key"
        r"|exists and cannot be imported(?!.*current value is).*missing key",
    ),
    Phrase(
        _C.DELIVERY_SHARED_RESOURCE,
        _F.CONFIGURATION,
        r"is part of applications|SharedResource|shared resource|RepeatedResource|appeared \d+ times among"
        r"|(already )?(exists and )?(cannot be imported|managed by)|invalid ownership metadata|owned by another"
        r"|manages? the same|conflict with \"|Apply failed with \d+ conflict",
    ),
    Phrase(
        _C.DELIVERY_PROJECT,
        _F.CONFIGURATION,
        r"not permitted in project|do(es)? not match any of the allowed destinations|in project|AppProject"
        r"|project .*(not|which does not)|referencing project|not allowed in project|is not permitted"
        r"|blocked by sync window|sync window|application destination .*(not|can't|can not)"
        r"|Namespace for \S+ .*missing|there are no clusters with this name|unable to find destination",
    ),
    Phrase(
        _C.DELIVERY_DEPENDENCY,
        _F.CONFIGURATION,
        r"^dependency '|dependencies do not meet|unable to get '\S+' dependency|circular dependency"
        r"|dependency .* is not ready",
    ),
    Phrase(
        _C.DELIVERY_CRD_MISSING,
        _F.CONFIGURATION,
        r"no matches for kind|unable to recognize|resource mapping not found|ensure CRDs are installed"
        r"|could not find the requested resource|could not find \S+/\S+|Make sure the \"?\S+\"? CRD|CRD"
        r"|CustomResourceDefinition|no kind \S+ is registered|the server could not find",
    ),
    Phrase(_C.DELIVERY_APPLY_REFUSED, _F.WEBHOOK, r"failed calling webhook|failed to call webhook"),
    Phrase(
        _C.DELIVERY_HEALTH_TIMEOUT,
        _F.IMAGE,
        r"timeout waiting for|health check failed|Health ?Check|timed out waiting for|pre-?(install|upgrade"
        r"|delete) hooks?|post-?(install|upgrade|delete|rollback) hooks?|hook .*(failed|timed)"
        r"|BackoffLimitExceeded|context deadline exceeded$|client rate limiter Wait returned an error"
        r"|progress deadline exceeded|ProgressDeadlineExceeded|has timed out progressing"
        r"|waiting for healthy state|Health.*(Degraded|Missing)|HealthCheckFailed|job failed|test .*failed"
        r"|stalled resources|waiting for completion of hook|does not have minimum availability|resources (not"
        r"|aren't) ready|failed early",
    ),
    # The source was read: the API server refuses the comparison.
    Phrase(
        _C.DELIVERY_APPLY_REFUSED,
        _F.TEMPLATE,
        r"(calculat\w+ (server[- ]side )?diff|server[- ]?side ?diff)(?!.*(no matches for kind|requested resource"
        r"|failed call\w* webhook|failed to call webhook|exceeded quota|forbidden: User|cannot (get|list|patch) resource))",
    ),
    Phrase(
        _C.DELIVERY_PATH_MISSING,
        _F.CONFIGURATION,
        r"app path does not exist|path (not found|does not exist|\S+ does not exist)"
        r"|kustomization path not found|no such file or directory.*kustomization|Chart\.yaml (file is missing"
        r"|.*no such file)|chart\.yaml|(chart|path|directory) .*(missing|does not exist|no such)"
        r"|unable to find one of 'kustomization|no chart found|is not a directory|ChartNotFound|Chart\.yaml",
        r"(?!ChartPullError|FetchFailed).*",
    ),
    Phrase(
        _C.DELIVERY_SOURCE_DENIED,
        _F.CONFIGURATION,
        r"\b40[13] (Unauthorized|Forbidden)|authentication (required|failed)|access denied"
        r"|permission denied \(publickey",
        r"(?!SyncError|(Upgrade|Install)Failed|ReconciliationFailed|BuildFailed|HealthCheckFailed).*",
    ),
    Phrase(
        _C.DELIVERY_SOURCE_MISSING,
        _F.CONFIGURATION,
        r"Source '\S+' not found|source .*(not found|is not ready|not ready)|could not download"
        r"|no chart (version|name)|chart .*(not found|version)|version .*(not found|does not exist|no match)"
        r"|unable to resolve '\S+' to a commit|couldn't find remote ref|reference not found|object not found"
        r"|resolve commit object|unknown revision|no match found for semver|HelmChart .*not (ready|found)"
        r"|SourceNotFound|ArtifactFailed|revision .*not found|unable to (get|find|locate) (source|chart|artifact"
        r"|'\S+' (chart|source))|failed to (locate|find) chart|no artifact|artifact .*not found|manifest unknown"
        r"|MANIFEST_UNKNOWN|couldn't find|ref(erence)? .*(not found|does not exist)|tag .*not found|latest tag"
        r"|could not find .*(branch|tag|chart)|branch .*not|no chart|HelmRepository .*not found"
        r"|GitRepository .*not found|Source artifact not found|improper constraint",
    ),
    Phrase(
        _C.DELIVERY_SOURCE_DENIED,
        _F.CONFIGURATION,
        r"authentication (required|failed)|SSH agent|SSH_AUTH_SOCK|unable to authenticate|knownhosts|known_hosts"
        r"|host key|permission denied \(publickey|publickey|ssh: handshake|could not read (Username|Password)"
        r"|\b40[13] (Unauthorized|Forbidden)|invalid credentials|authorization failed|UNAUTHORIZED|unauthorized"
        r"|Repository not found|repository not found|auth secret|secretRef|failed to get (authentication"
        r"|credentials|secret|auth)|DENIED|denied|forbidden|Bad credentials|access token|secret .*(not found"
        r"|missing)|AccessDenied|status code:? 40[13]|\b40[13]\b|authenticat|deploy key|SSH key|private key"
        r"|no supported methods",
        r"(?!SyncError|(Upgrade|Install)Failed|ReconciliationFailed|BuildFailed|HealthCheckFailed).*",
    ),
    Phrase(_C.DELIVERY_APPLY_REFUSED, _F.QUOTA, r"exceeded quota"),
    Phrase(
        _C.DELIVERY_APPLY_REFUSED,
        _F.CONFIGURATION,
        r"forbidden: User|cannot (get|list|patch|create|update|delete|watch) resource"
        r"|namespaces? \"?[^\"\s]+\"? not found|being terminated|another operation .{0,40}in progress"
        r"|has no deployed releases|cannot re-?use a name",
        r"(?!ArtifactFailed|\w*Fetch\w*|ComparisonError|IndexationFailed|GitOperationFailed|ChartPull\w*"
        r"|BuildFailed).*",
    ),
    Phrase(
        _C.DELIVERY_APPLY_REFUSED,
        _F.TEMPLATE,
        r"failed to apply|is invalid|field is immutable|dry-run failed|cannot patch|denied the request"
        r"|is forbidden|Forbidden|cannot be changed|updates to .* forbidden|Apply failed|apply .*(fail|error)"
        r"|admission webhook|already exists|one or more objects|failed to create (typed patch|resource)"
        r"|unable to (create|patch|build)|immutable|StatefulSet|Server-Side|exceeded quota"
        r"|failed calling webhook|cannot re-?use a name|has no deployed releases|another operation .*in progress"
        r"|namespaces? \"?\S+\"? not found|last sync attempt|exhausted|strict decoding|error validating data"
        r"|unknown field|conflict",
        r"(?!ArtifactFailed|\w*Fetch\w*|ComparisonError|IndexationFailed|GitOperationFailed|ChartPull\w*"
        r"|BuildFailed).*",
    ),
    Phrase(
        _C.DELIVERY_SOURCE_UNREACHABLE,
        _F.CONFIGURATION,
        r"no such host|dial tcp|i/o timeout|connection (refused|reset|timed out)|x509|certificate|tls"
        r"|deadline exceeded|timeout|EOF|failed to (fetch|clone|checkout|list refs|download|ls-remote"
        r"|cache index|get index)|unable to (clone|access|fetch|connect)|404 Not Found|unreachable|\b50[0234]\b"
        r"|repo(sitory)? .*(not (found|accessible)|unreachable)|does not appear to be a|could not resolve"
        r"|too many requests|rate limit|\b429\b|index\.yaml",
        r"(?!SyncError).*",
    ),
    Phrase(
        _C.DELIVERY_RENDER,
        _F.CONFIGURATION,
        r"helm template|Manifest generation|failed to generate manifest|template|execution error|parse|YAML|yaml"
        r"|json|unmarshal|schema|values|kustomize build|kustomize|nil pointer|evaluating|rendering|accumulat"
        r"|plugin|cue|jsonnet|build failed|values file|variable substitution|substitut|merg|evaluate|BuildFailed"
        r"|valuesFrom|could not resolve|ValuesError",
    ),
    Phrase(_C.DELIVERY_APPLY_REFUSED, _F.TEMPLATE, r"sync|upgrade failed|install failed|failed"),
)

DELIVERY = Area("delivery", _PHRASES, (_C.DELIVERY_APPLY_REFUSED, _F.TEMPLATE))
