"""A kind that only helps never keeps a diagnostic from its conclusion: it concludes with a gap, or less surely."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import pytest

from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.engine import Report, load_catalogue
from kubedoctor.findings.diagnostic import EXTENSIONS
from kubedoctor.testing import find_scenarios, load_scenario

CATALOGUE = load_catalogue()
BY_CODE = {diagnostic.code: diagnostic for diagnostic in CATALOGUE.diagnostics}
SCENARIOS = find_scenarios(Path(__file__).resolve().parent.parent / "scenarios")

NEEDED: dict[str, dict[str, str]] = {
    "KD1002": {"Event": "older kubelets write the registry's answer only there"},
    "KD1005": {
        "Job": "whether a later try succeeded",
        "Event": "that the node ran out of memory, where the runtime gives no reason",
    },
    "KD1006": {"Event": "older kubelets write the registry's answer only there"},
    "KD1010": {"Secret": "its keys"},
    "KD1013": {"Event": "that the kubelet ended a program that ends well when it is asked to"},
    "KD1017": {"Event": "a pod that ended well was evicted only by its event"},
    "KD1018": {"Event": "the kubelet writes why a hook failed only there"},
    "KD1019": {"Event": "the kubelet writes why a volume is not mounted only there"},
    "KD1023": {"Event": "the kubelet writes why a sandbox is not created only there"},
    "KD1027": {"Event": "the kubelet writes why devices are not prepared only there"},
    "KD1028": {"Event": "the kubelet writes that a hook failed only there"},
    "KD1101": {"Lease": "that no scheduler runs"},
    "KD1103": {"Node": "where the pod is missing", "Pod": "what is on the node"},
    "KD1104": {"Node": "that it is gone"},
    "KD1201": {"Pod": "which pod holds up a StatefulSet or a DaemonSet"},
    "KD1206": {"Pod": "which pods it guards"},
    "KD1207": {"Pod": "which pods both select"},
    "KD1209": {"Job": "whether the run still hangs"},
    "KD1210": {"Event": "that runs were refused or are many; the clock alone does not tell"},
    "KD1211": {"Job": "which runs there are"},
    "KD1212": {"Pod": "which container still runs"},
    "KD1213": {
        "Node": "what fits once the old pods are gone",
        "Pod": "which old pods there are",
        "ReplicaSet": "which pods are old",
        "PersistentVolume": "where a claim can be used",
        "PersistentVolumeClaim": "which claim a single pod may use",
    },
    "KD1214": {"CronJob": "which runs are its own", "Pod": "whether it still runs"},
    "KD1215": {"ReplicaSet": "that an older revision was there", "Pod": "that they are not just starting"},
    "KD1216": {"Pod": "which pods the selector matches"},
    "KD1217": {
        "Pod": "which pods are old",
        "Node": "what fits once the old pod is gone",
        "PersistentVolume": "where a claim can be used",
        "PersistentVolumeClaim": "where a claim can be used",
    },
    "KD1218": {"Node": "its taints", "Pod": "what runs there"},
    "KD1219": {"ReplicaSet": "the template of the pod", "Event": "that the kubelet saw the change"},
    "KD1220": {"ReplicaSet": "which templates there were"},
    "KD1223": {"Event": "the garbage collector writes it only there"},
    "KD1308": {"HorizontalPodAutoscaler": "what it measures"},
    "KD1310": {
        "Event": "that pods were evicted",
        **dict.fromkeys(("Deployment", "ReplicaSet", "Pod"), "how many pods there are"),
    },
    "KD1311": {
        "Event": "that pods were evicted",
        **dict.fromkeys(("Deployment", "ReplicaSet", "Pod"), "what the pods request"),
    },
    "KD1312": {
        "ConfigMap": "that there is an autoscaler",
        "Pod": "which pods may not move",
        "PodDisruptionBudget": "that it lets no pod go, or that there is none",
    },
    "KD1306": {
        "Deployment": "who wrote its number",
        "StatefulSet": "who wrote its number",
        "Event": "that it was written again and again",
    },
    "KD1232": {"Service": "that it does not exist"},
    "KD1231": {"Pod": "which pod waits, and for which"},
    "KD2001": {"Pod": "what the selector picks"},
    "KD2002": {"Pod": "the ports of the pods"},
    "KD2003": {
        "Event": "the cloud's answer within its time",
        "Node": "that there is no cloud, before a cloud's time is over",
    },
    "KD2004": {"Pod": "the ports of the pods"},
    "KD2005": {"Pod": "which pods are ready"},
    "KD2007": {
        "EndpointSlice": "which addresses it lists",
        "Pod": "which addresses the pods have",
        "Node": "which addresses are of pods",
    },
    "KD2008": {"Pod": "the addresses of its pods"},
    "KD2009": {"Pod": "the protocols of its pods"},
    "KD2010": {
        "EndpointSlice": "on which nodes its endpoints are",
        "Pod": "whose connection failed",
        "Node": "which nodes load balancers use",
    },
    "KD2011": {"Pod": "where it does not run"},
    "KD2014": {
        "EndpointSlice": "the hints of its endpoints",
        "Pod": "whose connection timed out",
        "Node": "the zone of the client",
    },
    "KD2031": {"Pod": "whose log says that it may not list them"},
    "KD2101": {"Pod": "the DNS servers", "ConfigMap": "which plugins the Corefile loads"},
    "KD2102": {"Service": "which pods are the DNS servers", "Event": "which lookup of a probe failed"},
    "KD2203": {"NetworkPolicy": "that there are policies without effect"},
    "KD2204": {
        "Node": "its range and its address",
        "Pod": "which ranges are in use",
        "ServiceCIDR": "the range of Services",
        "Service": "its address",
    },
    "KD2301": {"Service": "that it is missing"},
    "KD2305": {"Event": "controllers write why only there"},
    "KD2306": {
        "Secret": "that it is missing",
        "IngressClass": "whose controller looks for it",
        "Pod": "the controller, whose log says that it looks for it",
    },
    "KD2308": {"IngressClass": "which class is the default, and whose it is", "Pod": "that no controller runs"},
    "KD2012": {
        "Service": "whether an address of the pool is in use",
        "Node": "whether an advertisement selects a node",
        "Pod": "that a speaker of MetalLB runs, which would announce it",
        "L2Advertisement.metallb.io": "what announces the pool",
        "BGPAdvertisement.metallb.io": "what announces the pool",
    },
    "KD2013": {"Event": "the controller says it nowhere else"},
    "KD2314": {
        "Pod": "the version of the controller, and its log",
        "IngressClass": "which controller serves the Ingress",
        "ConfigMap": "up to which risk the controller takes annotations",
    },
    "KD2315": {"Event": "the controller says it nowhere else"},
    "KD2316": {
        "Service": "of which type the backend is",
        "Pod": "how Traefik is started",
        "IngressClass": "which controller serves the Ingress",
    },
    "KD2318": {
        "Pod": "the certificate resolvers that Traefik is started with",
        "IngressClass": "which controller serves the Ingress",
    },
    "KD2309": {
        "Secret": "its keys, and the names in the certificate",
        "IngressClass": "which controller serves it",
        "Pod": "whose log names the hosts",
    },
    "KD2310": {"IngressClass": "that one controller serves both"},
    "KD2202": {
        "ConfigMap": "the server that the program connects to, where its log names none",
        "NetworkPolicy": "that it denies",
        "Service": "where a name leads",
        "EndpointSlice": "where a Service without a selector leads",
        "Node": "that k3s refuses what a policy denies",
        "AdminNetworkPolicy.policy.networking.k8s.io": "that it denies",
        "BaselineAdminNetworkPolicy.policy.networking.k8s.io": "that it denies",
        "ClusterNetworkPolicy.policy.networking.k8s.io": "that it denies",
    },
    "KD2015": {"EndpointSlice": "that none is for the Service", "Pod": "the client that is refused"},
    "KD2105": {
        "ConfigMap": "what the Corefile says",
        "Pod": "which Corefile the server loads",
        "Service": "a name to look up",
    },
    "KD2205": {
        "NetworkPolicy": "that it denies",
        "Pod": "which pod has the address of the target",
        "Service": "where a name leads",
        "EndpointSlice": "where a Service without a selector leads",
        "AdminNetworkPolicy.policy.networking.k8s.io": "that it denies",
    },
    "KD2320": {"IngressClass": "that ingress-nginx serves it"},
    "KD2321": {"Pod": "the controller, whose log tells it"},
    "KD2322": {"IngressClass": "which controller serves it", "Pod": "the controller, whose log tells it"},
    "KD2319": {"Service": "that it is missing"},
    "KD2103": {"Event": "the kubelet writes what it leaves out only there"},
    "KD2311": {"IngressClass": "which controller serves it"},
    "KD2312": {"IngressClass": "which controller serves it"},
    "KD2313": {"ConfigMap": "whether the authority is there", "Service": "whether the target is there"},
    "KD2104": {"Service": "which names are hidden"},
    "KD2304": {
        "NetworkPolicy": "that it denies",
        "Service": "where a backend leads",
        "Pod": "what is behind it",
        "IngressClass": "which controller serves it",
        "AdminNetworkPolicy.policy.networking.k8s.io": "that it denies",
    },
    "KD2303": {"IngressClass": "that it is missing"},
    "KD2201": {"Pod": "what a policy selects", "Service": "the address of the DNS"},
    "KD3001": {
        "StorageClass": "what should provide the volume",
        "PersistentVolume": "that none fits",
        "Pod": "whether a pod waits",
        "Event": "the provisioner's answer, where its class cannot be seen",
        "Deployment": "that the controller of the driver is scaled to 0, before the provisioner is late",
    },
    "KD3003": {"Pod": "whether a pod uses the claim"},
    "KD3002": {"PersistentVolumeClaim": "that it is missing"},
    "KD3004": {"Event": "the resizer's answer, before Kubernetes 1.32 its only place"},
    "KD3005": {
        "PersistentVolume": "the driver of the volume",
        "PersistentVolumeClaim": "which volume it is",
        "VolumeSnapshotClass.snapshot.storage.k8s.io": "which classes there are",
    },
    "KD3007": {"Event": "the driver's answer, in most clusters its only place"},
    "KD3009": {"Event": "the driver's answer, where the status has none"},
    "KD3011": {"VolumeSnapshotContent.snapshot.storage.k8s.io": "that nothing has touched it"},
    "KD3012": {"Event": "the kubelet writes that it walks through the files only there"},
    "KD3013": {
        "Deployment": "that the controller is scaled to 0",
        "Lease": "that nobody renews it",
        "PersistentVolume": "that volumes are of the driver",
        "StorageClass": "that claims may use the driver",
    },
    "KD6012": {
        "Gateway.networking.istio.io": "the hosts that it accepts",
        "Pod": "whose log shows which host is asked for",
    },
    "KD6013": {
        "Pod": "whose proxies it configures",
        "Service": "which host was called",
        "ServiceEntry.networking.istio.io": "which host was called",
        "Sidecar.networking.istio.io": "which of them counts",
    },
    "KD6014": {
        "Gateway.gateway.networking.k8s.io": "whether the waypoint exists",
        "Namespace": "which waypoint its Services use",
    },
    "KD6103": {"Server.policy.linkerd.io": "which ports have a policy", "Pod": "the server", "Service": "the server"},
    "KD7103": {
        **dict.fromkeys(("Deployment", "ReplicaSet", "Pod"), "which program is the operator"),
        "Platform.acme.example": "that it waits, else the status alone is shown",
    },
    "KD3014": {"Pod": "on which node the volume is mounted"},
    "KD4005": {"Pod": "that no drain is going on"},
    "KD4006": {"Pod": "which pods tolerate the taint for a time only"},
    "KD4007": {"Event": "that the machine was restarted", "Pod": "that all its containers ended at once"},
    "KD4008": {"Event": "that the kernel killed"},
    "KD4009": {"Pod": "what was promised, and who was evicted"},
    "KD4010": {"Event": "the kubelet writes that it cannot free space only there"},
    "KD4011": {"Event": "the controller writes that no range is left only there"},
    "KD4012": {"Lease": "the clocks of the others", "Node": "that it is Ready: else an old lease has another reason"},
    "KD4014": {
        "Event": "that probes time out",
        "Pod": "which pods are on it",
        "NodeMetrics": "how much CPU is in use",
    },
    "KD4103": {"Lease": "when it was renewed"},
    "KD4111": {"PriorityLevelConfiguration": "its shares"},
    "KD4108": {"Event": "the API server's refusals"},
    "KD4110": {
        "Pod": "how many there are",
        **dict.fromkeys(("AuthRequest.dex.coreos.com", "Job", "Secret"), "what is counted"),
    },
    "KD4105": {
        "Lease": "that none is renewed",
        "Node": "that none is called lost",
        "Pod": "whose log names the refusal",
    },
    "KD5101": {
        "ResourceQuota": "its limit, once events are gone",
        "Pod": "whether the controller waits, once events are gone",
    },
    "KD5103": {"Event": "the API server's answer"},
    "KD5106": {
        "Pod": "which Secret the webhook's pods mount",
        "Secret": "the certificate itself",
        "Service": "what the API server calls",
    },
    "KD5107": {
        "Secret": "the certificate itself",
        "Service": "what the API server calls",
        "Pod": "which pods answer for it",
    },
    "KD6001": {"MutatingWebhookConfiguration": "that an injector wants the namespace"},
    "KD6002": {
        "Service": "that the host is missing",
        "ServiceEntry.networking.istio.io": "that no entry has the host",
        "DestinationRule.networking.istio.io": "which subsets the host has",
    },
    "KD6003": {"Gateway.networking.istio.io": "that it is missing"},
    "KD6004": {"Pod": "that the selector picks none"},
    "KD6005": {"Pod": "where its proxies are", "Secret": "that it is missing"},
    "KD6006": {
        "Service": "which pods the host has",
        "Pod": "their labels",
        "DestinationRule.networking.istio.io": "the labels of the subset",
    },
    "KD6007": {"PeerAuthentication.security.istio.io": "that it is STRICT", "Service": "where the connection leads"},
    "KD6008": {
        "PeerAuthentication.security.istio.io": "that it is STRICT",
        "Service": "where the rule's host leads",
        "Pod": "that the server has a proxy",
    },
    "KD6019": {
        "Pod": "where its proxies are",
        "Secret": "that it is there",
        "Certificate.cert-manager.io": "until when it is valid",
    },
    "KD6020": {"Pod": "the proxies", "Service": "its ports"},
    "KD6021": {"Pod": "that both select one"},
    "KD6022": {"Service": "which name is meant"},
    "KD6023": {"Service": "the names of its ports"},
    "KD6026": {"Pod": "the proxies that refuse"},
    "KD6027": {"ServiceEntry.networking.istio.io": "that none names the host", "Pod": "the proxies that refuse"},
    "KD6105": {
        "Namespace": "that it requests a proxy",
        "MutatingWebhookConfiguration": "that an injector is installed",
    },
    "KD6102": {"Event": "the kubelet writes the answer to a probe only there"},
    "KD6009": {"AuthorizationPolicy.security.istio.io": "that it denies", "Service": "where the call leads"},
}
"""What a conclusion rests on: the code, the kinds, and what they show."""


@cache
def subjects_of(code: str) -> frozenset[str]:
    diagnostic = BY_CODE[code]
    return frozenset(kind_name(kind) for kind in (diagnostic.subject, *diagnostic.also_subjects))


def found(report: Report, code: str, namespace: str) -> bool:
    return any(
        finding.code == code and finding.about.namespace in ("", namespace or finding.about.namespace)
        for finding in report.findings
    )


@pytest.mark.long
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: "/".join(path.parts[-3:]))
def test_a_kind_that_only_helps_may_be_missing(path: Path) -> None:
    scenario = load_scenario(path)
    findings = scenario.run(CATALOGUE).findings
    kinds = scenario.snapshot().kinds() if findings else ()
    silent = []
    for kind in set(kinds) - {"Namespace", *scenario.unreadable}:
        expected = [
            finding
            for finding in findings
            if kind not in subjects_of(finding.code) and kind not in NEEDED.get(finding.code, {})
            if not (EXTENSIONS in subjects_of(finding.code) and kind == finding.about.kind)
        ]
        if expected:
            blind = dataclasses.replace(scenario, unreadable={**scenario.unreadable, kind: "cannot be listed"})
            report = blind.run(CATALOGUE)
            silent += [
                f"{finding.code} without {kind}"
                for finding in expected
                if not found(report, finding.code, finding.about.namespace)
            ]
    assert not silent
