"""Which areas can speak in a message, by its reason, its object and its component; the first that has a phrase speaks."""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

from kubedoctor.replay.messages.creation.admission import ADMISSION
from kubedoctor.replay.messages.creation.hpa import HPA
from kubedoctor.replay.messages.creation.jobs import CRONJOB, JOB
from kubedoctor.replay.messages.creation.quota import QUOTA
from kubedoctor.replay.messages.creation.webhook import WEBHOOK
from kubedoctor.replay.messages.extensions.certificate import CERTIFICATE
from kubedoctor.replay.messages.extensions.cloud_identity import CLOUD_IDENTITY
from kubedoctor.replay.messages.extensions.delivery import DELIVERY
from kubedoctor.replay.messages.extensions.secret_sync import SEALED_SECRET, SECRET_SYNC
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.nodes.node import NODE
from kubedoctor.replay.messages.nodes.scaling import SCALING
from kubedoctor.replay.messages.phrases import Area
from kubedoctor.replay.messages.pods.dns import DNS
from kubedoctor.replay.messages.pods.evict import EVICT
from kubedoctor.replay.messages.pods.image import IMAGE
from kubedoctor.replay.messages.pods.probe import PROBE
from kubedoctor.replay.messages.pods.sandbox import SANDBOX
from kubedoctor.replay.messages.pods.start import START
from kubedoctor.replay.messages.traffic.gateway import GATEWAY, GATEWAY_CLASS, RULES
from kubedoctor.replay.messages.traffic.ingress import INGRESS, INGRESS_OTHERWISE
from kubedoctor.replay.messages.traffic.loadbalancer import LOADBALANCER
from kubedoctor.replay.messages.traffic.mesh import MESH, MESH_KINDS
from kubedoctor.replay.messages.volumes.attach import ATTACH
from kubedoctor.replay.messages.volumes.mount import MOUNT
from kubedoctor.replay.messages.volumes.provision import PROVISION
from kubedoctor.replay.messages.volumes.resize import RESIZE


class Route(NamedTuple):
    """Patterns for the whole reason, kind and type of the condition, and a part of the text or component; empty: any."""

    areas: tuple[Area, ...]
    reason: str = ""
    kind: str = ""
    text: str = ""
    component: str = ""
    condition: str = ""


_REFUSED: Final = (WEBHOOK, QUOTA, MESH, ADMISSION)

_ROUTES: Final = (
    # extensions, by the kind that they define
    Route((CERTIFICATE,), kind="Certificate|CertificateRequest|Order|Challenge|(Cluster)?Issuer"),
    Route((CLOUD_IDENTITY, SEALED_SECRET), kind="SealedSecret"),
    Route(
        (CLOUD_IDENTITY, SECRET_SYNC),
        kind=r"(Cluster)?(ExternalSecret|PushSecret|SecretStore)|Vault\w+Secret|Vault(Auth|Connection)"
        r"|SecretProviderClass\w*",
    ),
    Route((GATEWAY_CLASS,), kind="GatewayClass"),
    Route((RULES,), kind=r"\w+Route", condition="PartiallyInvalid"),
    Route(
        (GATEWAY,),
        kind=r"Gateway(Class)?|\w+Route|ReferenceGrant|ListenerSet|\w+Policy",
        reason=r"(?!Translate|Sync).*",
    ),
    Route(
        (MESH_KINDS,),
        kind=r"VirtualService|DestinationRule|ServiceEntry|Sidecar|PeerAuthentication|RequestAuthentication"
        r"|EnvoyFilter|Telemetry|WasmPlugin|ServiceProfile",
    ),
    Route((MESH_KINDS,), component=r"linkerd|proxy-injector|istio|consul-connect"),
    Route(
        (MESH,),
        kind="HelmRelease|Kustomization|Application",
        text=r"validation\.istio\.io|linkerd-\w+-validator|configuration is invalid",
    ),
    Route(
        (DELIVERY,),
        kind=r"Application(Set)?|AppProject|HelmRelease|Kustomization|GitRepository|HelmRepository|OCIRepository"
        r"|HelmChart|Bucket|ExternalArtifact|Image(Repository|Policy|UpdateAutomation)|Receiver|Alert|Provider",
    ),
    # what controllers create
    Route((HPA,), kind="HorizontalPodAutoscaler|ScaledObject|ScaledJob"),
    Route((CRONJOB,), kind="CronJob"),
    Route((MESH,), reason="InjectionSkipped|Injected"),
    Route(
        _REFUSED,
        reason=r"FailedCreate|ReplicaFailure|FailedCreatePod|ReplicaSetCreateError|FailedUpdate|FailedDaemonPod"
        r"|FailedRollover",
    ),
    Route(_REFUSED, text=r"^(Error creating: |[Cc]reate Pod \S+ in \S+ \S+ failed )"),
    Route((JOB,), kind="Job"),
    Route((DELIVERY,), kind="Deployment|ReplicaSet|StatefulSet|DaemonSet|ReplicationController"),
    Route((SCALING,), text="disruption budget|evicting pod|evict pod"),
    # volumes
    Route((RESIZE,), reason=r"\w*Resiz\w*|ExternalExpanding|VolumeModif\w*|FileSystemResize\w*|\w*Expan\w*"),
    Route((PROVISION,), kind="PersistentVolumeClaim|PersistentVolume|StorageClass|VolumeSnapshot(Content)?"),
    Route((CLOUD_IDENTITY, ATTACH), reason=r"\w*AttachVolume|VolumeAttachmentLimitExceeded|\w*DetachVolume"),
    Route(
        (CLOUD_IDENTITY, MOUNT),
        reason=r"\w*MountVolume|FailedMount|\w*MapVolume|FailedUnmount\w*|FailedMountOnFilesystemMismatch"
        r"|VolumeFailed\w*|VolumePermission\w*",
    ),
    # load balancers
    Route((CLOUD_IDENTITY, INGRESS, LOADBALANCER, INGRESS_OTHERWISE), kind="Ingress|IngressClass|TargetGroupBinding"),
    Route((CLOUD_IDENTITY, LOADBALANCER), kind="Service"),
    # nodes
    Route((SCALING,), component=r"karpenter|cluster-?autoscaler|machine-?controller|machineset|cluster-api|drain"),
    Route(
        (SCALING,),
        reason=r"NotTriggerScaleUp|TriggeredScaleUp|ScaleDown\w*|ScaledUpGroup|FailedToScaleUpGroup|ScaleUpTimedOut"
        r"|DisruptionBlocked|FailedDraining|Unconsolidatable|InsufficientCapacity\w*",
    ),
    Route((NODE,), kind="Node"),
    Route((SCALING,), kind=r"NodeClaim|NodePool|\w*NodeClass|Machine\w*|ConfigMap|Provisioner"),
    # pods
    Route((DNS,), reason=r"DNSConfigForming|MissingClusterDNS|CheckLimitsForResolvConf|NodeDNS\w*"),
    Route((START,), reason="FailedKillPod", text=r"^(?!.*KillPodSandbox).*KillContainer"),
    Route((PROBE,), reason="Unhealthy|ProbeWarning|ProbeError"),
    Route(
        (SANDBOX,),
        reason="FailedCreatePodSandBox|FailedPodSandBoxStatus|FailedKillPod|SandboxChanged|NetworkNotReady|NoNetworkFound|AddedInterface|FailedCreatePodContainer",
    ),
    Route(
        (EVICT,),
        reason=r"Evicted|Preempt\w*|TaintManagerEviction|Terminated|NodeShutdown|Shutdown|DeadlineExceeded"
        r"|DeletionBy\w+|TerminationByKubelet|EvictionByEvictionAPI|Deleting\w*|PreemptContainer",
    ),
    Route((EVICT,), text=r"^Pod was (terminated|active)|imminent node shutdown"),
    Route((START,), reason="AppArmor", text=r"profile"),
    Route(
        (NODE,),
        reason=r"OutOf\S+|NodeAffinity|UnexpectedAdmissionError|Topology\w+|NodePorts|AppArmor|SysctlForbidden"
        r"|Forbidden\w*|HostPortConflict|PodOSNotSupported|\w*AdmissionError|InsufficientFreeCPUs"
        r"|SMTAlignmentError|NodeName|TaintToleration|FailedPrepareDynamicResources|UnsupportedPodSpec"
        r"|PodFeatureUnsupported|InitContainerRestartPolicyForbidden",
    ),
    Route((NODE,), text=r"^(Pod was rejected|Predicate \S+ failed|Pod Predicate)"),
    Route(
        (IMAGE,),
        reason=r"Pull\w+|ErrImage\w+|ImagePullBackOff|Image\w+|InspectFailed|InvalidImageName"
        r"|FailedToRetrieveImagePullSecret|RegistryUnavailable|SignatureValidationFailed|FailedToPullImage",
    ),
    Route(
        (IMAGE,),
        text=r"pull(ing)? image|inspect image|^Error: (Err)?Image|ErrImage|ImagePull|ImageInspect|InvalidImageName"
        r"|default image tag",
    ),
    Route(
        (START,),
        reason=r"Failed|BackOff|(Create|Run)Container(Config)?Error|ContainerCannotRun|StartError|CrashLoopBackOff"
        r"|\w*P(ost|re)St(art|op)Hook\w*|Created|Started|Killing|ExceededGracePeriod|Error"
        r"|ContainerStatusUnknown|InvalidEnvironmentVariableNames",
    ),
)

_EVERYWHERE: Final = tuple(
    area._replace(otherwise=None)
    for area in (CLOUD_IDENTITY, WEBHOOK, QUOTA, DNS, EVICT, IMAGE, START, SANDBOX, ADMISSION, MOUNT, NODE)
)
"""For a reason that no route has."""


@cache
def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@cache
def _part(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def areas_of(message: Message) -> tuple[Area, ...]:
    """The areas that can speak in the message, in the order of precedence."""
    return next((route.areas for route in _ROUTES if _leads(route, message)), _EVERYWHERE)


def _leads(route: Route, message: Message) -> bool:
    return (
        (not route.reason or _whole(route.reason).fullmatch(message.reason) is not None)
        and (not route.kind or _whole(route.kind).fullmatch(message.kind) is not None)
        and (not route.condition or _whole(route.condition).fullmatch(message.condition) is not None)
        and (not route.component or _part(route.component).search(message.component) is not None)
        and (not route.text or _part(route.text).search(message.text) is not None)
    )
