"""What conditions of widespread controllers mean, both ways round."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kubedoctor.replay.status.vocabulary import (
    PROGRESS,
    START,
    STATE_FIELD,
    is_bad_state,
    is_waiting_state,
    patience,
)

NEVER = None
CONDITIONS: tuple[tuple[str, str, str, str, timedelta | None], ...] = (
    # controller, type, status, reason, how long it may last
    ("cert-manager", "Ready", "False", "DoesNotExist", PROGRESS),
    ("cert-manager", "Ready", "False", "Pending", PROGRESS),
    ("cert-manager", "Ready", "False", "Failed", START),
    ("cert-manager", "Ready", "False", "ErrRegisterACMEAccount", START),
    ("cert-manager", "Ready", "True", "Issued", NEVER),
    ("cert-manager", "Issuing", "True", "Renewing", NEVER),
    ("cert-manager", "Issuing", "False", "Failed", START),
    ("cert-manager", "Approved", "True", "cert-manager.io", NEVER),
    ("cert-manager", "Denied", "True", "Denied", START),
    ("cert-manager", "InvalidRequest", "True", "InvalidRequest", START),
    ("Argo CD", "ComparisonError", "", "", START),
    ("Argo CD", "SyncError", "", "", START),
    ("Argo CD", "InvalidSpecError", "", "", START),
    ("Argo CD", "OrphanedResourceWarning", "", "", NEVER),
    ("Argo CD", "SharedResourceWarning", "", "", NEVER),
    ("Argo CD ApplicationSet", "ErrorOccurred", "True", "ApplicationGenerationFromParamsError", START),
    ("Argo CD ApplicationSet", "ErrorOccurred", "False", "ApplicationSetUpToDate", NEVER),
    ("Argo CD ApplicationSet", "ParametersGenerated", "True", "ParametersGenerated", NEVER),
    ("Argo Rollouts", "Progressing", "False", "ProgressDeadlineExceeded", START),
    ("Argo Rollouts", "Progressing", "True", "ReplicaSetUpdated", NEVER),
    ("Argo Rollouts", "Progressing", "Unknown", "RolloutPaused", NEVER),
    ("Argo Rollouts", "Paused", "True", "RolloutPaused", NEVER),
    ("Argo Rollouts", "InvalidSpec", "True", "InvalidSpec", START),
    ("Argo Rollouts", "Completed", "False", "RolloutCompleted", NEVER),
    ("Flux", "Ready", "False", "HealthCheckFailed", START),
    ("Flux", "Ready", "False", "DependencyNotReady", PROGRESS),
    ("Flux", "Ready", "Unknown", "Progressing", PROGRESS),
    ("Flux", "Reconciling", "True", "ProgressingWithRetry", NEVER),
    ("Flux", "Stalled", "True", "InvalidURL", START),
    ("Flux", "Stalled", "False", "", NEVER),
    ("Flux", "FetchFailed", "True", "GitOperationFailed", START),
    ("Flux", "Released", "False", "UpgradeFailed", START),
    ("Flux", "Remediated", "True", "RollbackSucceeded", NEVER),
    ("Flux", "ArtifactOutdated", "True", "NewRevision", NEVER),
    ("Flux", "SourceVerified", "False", "VerificationError", START),
    ("Crossplane", "Synced", "False", "ReconcileError", START),
    ("Crossplane", "Synced", "False", "ReconcilePaused", NEVER),
    ("Crossplane", "Ready", "False", "Creating", PROGRESS),
    ("Crossplane", "Healthy", "False", "UnhealthyPackageRevision", PROGRESS),
    ("Crossplane", "Healthy", "True", "HealthyPackageRevision", NEVER),
    ("Knative", "ConfigurationsReady", "False", "RevisionFailed", START),
    ("Knative", "RoutesReady", "Unknown", "Deploying", NEVER),
    ("Knative", "Active", "False", "NoTraffic", NEVER),
    ("Knative", "ResourcesAvailable", "False", "ContainerMissing", PROGRESS),
    ("Gateway API", "Accepted", "False", "NotAllowedByListeners", START),
    ("Gateway API", "Accepted", "Unknown", "Pending", PROGRESS),
    ("Gateway API", "Programmed", "False", "AddressNotUsable", PROGRESS),
    ("Gateway API", "ResolvedRefs", "False", "InvalidCertificateRef", START),
    ("Gateway API", "ResolvedRefs", "False", "RefNotPermitted", START),
    ("Gateway API", "ResolvedRefs", "True", "ResolvedRefs", NEVER),
    ("Gateway API", "Conflicted", "True", "HostnameConflict", PROGRESS),
    ("Gateway API", "Conflicted", "False", "NoConflicts", NEVER),
    ("Gateway API", "PartiallyInvalid", "True", "UnsupportedValue", START),
    ("Gateway API", "PartiallyInvalid", "False", "None", NEVER),
    ("Gateway API", "OverlappingTLSConfig", "True", "OverlappingHostnames", NEVER),
    ("CloudNativePG", "ContinuousArchiving", "False", "ContinuousArchivingFailing", START),
    ("CloudNativePG", "ContinuousArchiving", "True", "ContinuousArchivingSuccess", NEVER),
    ("CloudNativePG", "LastBackupSucceeded", "False", "LastBackupFailed", START),
    ("CloudNativePG", "Ready", "False", "ClusterIsNotReady", PROGRESS),
    ("CloudNativePG", "cnpg.io/hibernation", "True", "Hibernated", NEVER),
    ("Strimzi", "NotReady", "True", "TimeoutException", START),
    ("Strimzi", "Warning", "True", "KafkaStorage", NEVER),
    ("Strimzi", "ReconciliationPaused", "True", "", NEVER),
    ("Karpenter", "Launched", "False", "LaunchFailed", START),
    ("Karpenter", "Registered", "Unknown", "AwaitingReconciliation", NEVER),
    ("Karpenter", "Drifted", "True", "NodePoolDrifted", NEVER),
    ("Karpenter", "Consolidatable", "True", "Consolidatable", NEVER),
    ("Karpenter", "ConsistentStateFound", "False", "ConsistencyCheckFailed", START),
    ("Karpenter", "NodeRegistrationHealthy", "Unknown", "AwaitingReconciliation", NEVER),
    ("Karpenter", "NodeRegistrationHealthy", "False", "RegistrationFailed", START),
    ("Karpenter", "ValidationSucceeded", "False", "ValidationFailed", START),
    ("Karpenter", "SubnetsReady", "False", "SubnetsNotFound", START),
    ("Cluster API", "InfrastructureReady", "False", "WaitingForInfrastructure", PROGRESS),
    ("Cluster API", "ControlPlaneInitialized", "False", "NotInitialized", NEVER),
    ("Cluster API", "Paused", "False", "NotPaused", NEVER),
    ("Cluster API", "RollingOut", "True", "RollingOut", NEVER),
    ("Cluster API", "Deleting", "False", "NotDeleting", NEVER),
    ("Cluster API", "HealthCheckSucceeded", "False", "NodeStartupTimeout", PROGRESS),
    ("KEDA", "Ready", "False", "ScaledObjectCheckFailed", START),
    ("KEDA", "Active", "False", "ScalerNotActive", NEVER),
    ("KEDA", "Active", "Unknown", "", NEVER),
    ("KEDA", "Fallback", "True", "FallbackExists", PROGRESS),
    ("KEDA", "Fallback", "False", "NoFallbackFound", NEVER),
    ("KEDA", "Paused", "True", "ScaledObjectPaused", NEVER),
    ("External Secrets", "Ready", "False", "SecretSyncedError", START),
    ("External Secrets", "Ready", "False", "InvalidProviderConfig", START),
    ("External Secrets", "Ready", "True", "SecretSynced", NEVER),
    ("External Secrets", "Deleted", "True", "SecretDeleted", NEVER),
    ("Istio", "Reconciled", "False", "ReconcileError", START),
    ("Istio", "Ready", "False", "IstiodNotReady", PROGRESS),
    ("Prometheus operator", "Available", "Degraded", "SomePodsNotReady", PROGRESS),
    ("Prometheus operator", "Available", "False", "NoPodReady", PROGRESS),
    ("Prometheus operator", "Reconciled", "False", "ReconciliationFailed", START),
    ("Prometheus operator", "Accepted", "False", "InvalidConfiguration", START),
    ("OpenShift", "Degraded", "True", "OAuthServerRouteEndpointAccessibleControllerDegraded", PROGRESS),
    ("OpenShift", "NodeDegraded", "True", "", PROGRESS),
    ("OpenShift", "Upgradeable", "False", "PoolUpdating", NEVER),
    ("OLM", "CatalogSourcesUnhealthy", "False", "AllCatalogSourcesHealthy", NEVER),
    ("OLM", "ResolutionFailed", "True", "ConstraintsNotSatisfiable", START),
    ("OLM", "InstallPlanPending", "True", "RequiresApproval", NEVER),
    ("Longhorn", "TooManySnapshots", "False", "", NEVER),
    ("Longhorn", "Scheduled", "False", "ReplicaSchedulingFailure", START),
    ("Longhorn", "Restore", "False", "", NEVER),
    ("Tekton", "Succeeded", "Unknown", "Running", NEVER),
    ("Tekton", "Succeeded", "False", "Failed", START),
    ("autoscaling", "ScalingLimited", "True", "TooManyReplicas", NEVER),
    ("a controller of one's own", "WidgetsPolished", "False", "", NEVER),
    ("a controller of one's own", "WidgetsPolished", "False", "PolishingFailed", START),
    ("a controller of one's own", "example.com/BackendReady", "False", "", PROGRESS),
    ("a controller of one's own", "CertificateUnavailable", "True", "", PROGRESS),
    ("a controller of one's own", "Ready", "True", "NoError", NEVER),
    ("a controller of one's own", "Polished", "True", "NotFailed", NEVER),
)


@pytest.mark.parametrize(("controller", "type_", "status", "reason", "expected"), CONDITIONS)
def test_a_condition_means_trouble_or_not(
    controller: str, type_: str, status: str, reason: str, expected: timedelta | None
) -> None:
    assert patience(type_, status, reason) == expected, controller


@pytest.mark.parametrize("type_", sorted({row[1] for row in CONDITIONS if row[4] is not None and row[2] == "False"}))
def test_what_should_be_true_is_no_trouble_when_it_is(type_: str) -> None:
    assert patience(type_, "True", "") is None


@pytest.mark.parametrize("type_", sorted({row[1] for row in CONDITIONS if row[4] is not None and row[2] == "True"}))
def test_what_should_be_false_is_no_trouble_when_it_is(type_: str) -> None:
    assert patience(type_, "False", "") is None


BAD = "Failed FAILED Error error errored SyncFailed CreateFailed Degraded degraded invalid HEALTH_ERR red faulted Lost Missing"
FINE = (
    "Running Ready ready Succeeded Healthy Pending pending valid Bound Progressing Suspended Available green yellow attached "
    "Active Synced OutOfSync Unknown NotFailed Completed Paused RUNNING HEALTH_OK Idle"
)


@pytest.mark.parametrize("word", BAD.split())
def test_a_bad_state(word: str) -> None:
    assert is_bad_state(word)
    assert not is_waiting_state(word)


@pytest.mark.parametrize("word", FINE.split())
def test_a_state_that_is_no_trouble(word: str) -> None:
    assert not is_bad_state(word)


@pytest.mark.parametrize(
    ("name", "is_state"),
    [
        ("phase", True),
        ("state", True),
        ("health", True),
        ("PostgresClusterStatus", True),
        ("robustness", True),
        ("lastBackupStatus", False),
        ("previousState", False),
        ("desiredState", False),
        ("message", False),
        ("statusMessage", False),
    ],
)
def test_a_field_that_holds_a_state(name: str, is_state: bool) -> None:
    assert bool(STATE_FIELD.fullmatch(name)) is is_state
