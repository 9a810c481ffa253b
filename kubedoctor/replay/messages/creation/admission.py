"""Why the API refuses an object: built-in admission, policies, validation, permissions."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(
        _C.ADMISSION_NAMESPACE_TERMINATING,
        _F.CONFIGURATION,
        r"because it is being terminated|namespace \S+ (is (being )?terminat|not found)"
        r"|namespaces? \"?\S+\"? not found|NamespaceTerminating|being terminated",
    ),
    Phrase(
        _C.ADMISSION_POD_SECURITY,
        _F.TEMPLATE,
        r"violates PodSecurity|unable to validate against any security context constraint"
        r"|security context constraint|PodSecurityPolicy|unable to validate against any pod security policy"
        r"|PodSecurity|unable to admit pod",
    ),
    Phrase(
        _C.ADMISSION_REFERENCE_MISSING,
        _F.TEMPLATE,
        r"error looking up service account|serviceaccounts? \"?\S+\"? not found|no PriorityClass with name"
        r"|PriorityClass .*not found|RuntimeClass.* not found|no (API token|service account)"
        r"|priorityclass\S* .*not found|resourceclaimtemplate\S* .*not found|storageclass\S* .*not found"
        r"|default (PriorityClass|storage class)|ResourceClaimTemplate .*not found|(configmaps?|secrets?"
        r"|persistentvolumeclaims?|imagestream\S*) \"\S+\" not found",
    ),
    Phrase(
        _C.ADMISSION_POLICY,
        _F.TEMPLATE,
        r"admission webhook .* denied the request|denied the request|ValidatingAdmissionPolicy"
        r"|MutatingAdmissionPolicy|resource \S+ was blocked due to|blocked due to the following policies"
        r"|validation-?error|policy .*(denied|fail|violat|reject)|\[\S+\] (denied|Container|container)"
        r"|Azure ?Policy|denied by|violat|disallowed|policies|ImagePolicyWebhook|GKE Warden|GKE Autopilot"
        r"|autogke|kyverno|gatekeeper|kubewarden|image policy webhook",
    ),
    Phrase(
        _C.ADMISSION_FORBIDDEN,
        _F.CONFIGURATION,
        r"is forbidden: User|cannot (create|get|list|patch|update|delete|set|use|watch) (resource|subresource"
        r"|blockOwnerDeletion|an? )|cannot set blockOwnerDeletion|not (allowed|authorized) to (perform|create)"
        r"|forbidden: (user|service account|node)|RBAC|unauthorized|Unauthorized"
        r"|is forbidden: attempting to grant|escalat",
    ),
    Phrase(
        _C.ADMISSION_INVALID,
        _F.TEMPLATE,
        r"is invalid|Invalid value|Required value|Unsupported value|Duplicate value|must be|may not|not a valid"
        r"|Forbidden: |unknown field|strict decoding|cannot be handled|no (kind|matches)|field is immutable"
        r"|Too long|must have|unable to (parse|recognize)|should not|can not|already exists|must not"
        r"|no more than|too (large|long)|priority .*(must|computed|integer)|forbidden",
    ),
)

ADMISSION = Area("admission", _PHRASES, (_C.ADMISSION_INVALID, _F.TEMPLATE))
