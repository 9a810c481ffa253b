"""Why a pod gets no cloud identity: IRSA and Pod Identity of EKS, Workload Identity of AKS and GKE."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(
        _C.CLOUD_IDENTITY_NO_PROVIDER,
        _F.CONFIGURATION,
        r"No OpenIDConnect provider found|OpenIDConnect provider|OIDC provider .*(not|no)|InvalidIdentityToken"
        r"|couldn't retrieve verification key|identity provider .*not found|IDPCommunicationError",
    ),
    Phrase(
        _C.CLOUD_IDENTITY_TRUST_POLICY,
        _F.CONFIGURATION,
        r"Not authorized to perform:? sts:(AssumeRole|TagSession)\w*|not authorized to perform: sts:(AssumeRole"
        r"|TagSession)|AssumeRoleWithWebIdentity",
    ),
    Phrase(
        _C.CLOUD_IDENTITY_FEDERATION,
        _F.CONFIGURATION,
        r"AADSTS70\d+|federated identity|AADSTS\d+|workload identity (pool|federation)|FEDERATED"
        r"|Invalid value for \"audience\"|subject .*does not match|identity pool|WorkloadIdentityPool"
        r"|invalid_target|credential is rejected by the attribute condition|token exchange|invalid_grant"
        r"|AZURE_CLIENT_ID|AZURE_FEDERATED|securetoken",
    ),
    Phrase(
        _C.CLOUD_IDENTITY_DENIED,
        _F.CONFIGURATION,
        r"iam\.serviceAccounts\.getAccessToken|getOpenIdToken|iam\.serviceAccounts\.\w+.*denied"
        r"|unable to impersonate|impersonat|per-RPC creds failed.*403|workloadIdentityUser",
    ),
    Phrase(
        _C.CLOUD_IDENTITY_POD_IDENTITY,
        _F.CONFIGURATION,
        r"169\.254\.170\.(2|23)|AzureIdentityBinding|AzureAssignedIdentity|AzureIdentity|pod identity"
        r"|eks-pod-identity|EKS Pod Identity|Identity not found|container credentials|AWS_CONTAINER|\bnmi\b"
        r"|metadata\.google\.internal.*(403|404|refused|identity)|managed identity .*(not|fail)"
        r"|no azure identity|computeMetadata|gke-metadata-server|no EC2 IMDS role|ManagedIdentityCredential"
        r"|NoCredentialProviders|no valid providers in chain|failed to retrieve credentials"
        r"|get identity: get credentials|failed to refresh cached credentials",
    ),
)

CLOUD_IDENTITY = Area("cloud-identity", _PHRASES)
