"""Manifests that the API server takes: many kinds, with most of the fields that people write."""

from __future__ import annotations

from typing import Any

import yaml

_POD = """
      serviceAccountName: web
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 45
      nodeSelector: {kubernetes.io/os: linux}
      priorityClassName: system-cluster-critical
      dnsPolicy: ClusterFirst
      dnsConfig: {options: [{name: ndots, value: "2"}]}
      hostAliases: [{ip: 10.0.0.1, hostnames: [db.internal]}]
      imagePullSecrets: [{name: registry}]
      securityContext: {runAsNonRoot: true, runAsUser: 1000, fsGroup: 2000, seccompProfile: {type: RuntimeDefault}}
      tolerations:
      - {key: dedicated, operator: Equal, value: web, effect: NoSchedule}
      - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 60}
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms: [{matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [a, b]}]}]
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 50
            podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}
      initContainers:
      - {name: wait, image: "busybox:1", command: [sh, -c, "true"], resources: {requests: {cpu: 10m}}}
      - {name: proxy, image: "proxy:1", restartPolicy: Always, startupProbe: {tcpSocket: {port: 15021}}}
      containers:
      - name: app
        image: registry.example.com/web:1.2
        imagePullPolicy: IfNotPresent
        args: [--port, "8080"]
        ports: [{name: http, containerPort: 8080}, {name: metrics, containerPort: 9090, protocol: TCP}]
        env:
        - {name: MODE, value: prod}
        - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
        - {name: KEY, valueFrom: {secretKeyRef: {name: web, key: key}}}
        envFrom: [{configMapRef: {name: web}}, {secretRef: {name: web, optional: true}, prefix: S_}]
        resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: 500m, memory: 256Mi, ephemeral-storage: 1Gi}}
        volumeMounts: [{name: config, mountPath: /etc/web, readOnly: true}, {name: data, mountPath: /data, subPath: web}]
        livenessProbe: {httpGet: {path: /live, port: http}, periodSeconds: 10, failureThreshold: 3}
        readinessProbe: {httpGet: {path: /ready, port: 8080, scheme: HTTP}, timeoutSeconds: 2, successThreshold: 2}
        startupProbe: {exec: {command: [test, -f, /ready]}, failureThreshold: 30}
        lifecycle: {preStop: {exec: {command: [sleep, "5"]}}}
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      - {name: sidecar, image: "log:1", volumeMounts: [{name: all, mountPath: /all}]}
      volumes:
      - {name: config, configMap: {name: web, items: [{key: a.yaml, path: a.yaml}], defaultMode: 420}}
      - {name: data, persistentVolumeClaim: {claimName: web}}
      - {name: tmp, emptyDir: {sizeLimit: 1Gi, medium: Memory}}
      - name: all
        projected:
          sources:
          - {secret: {name: web}}
          - {serviceAccountToken: {path: token, expirationSeconds: 3600}}
          - {downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
      - {name: host, hostPath: {path: /var/log, type: Directory}}
"""
_TEMPLATE = "    metadata: {labels: {app: web, tier: front}, annotations: {example.com/a: b}}\n    spec:" + _POD
_RUN = "template: {metadata: {labels: {app: web}}, spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}"
_MANIFESTS = f"""
apiVersion: v1
kind: Pod
metadata: {{name: web, labels: {{app: web}}}}
spec:
{_POD}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, labels: {{app.kubernetes.io/name: web}}, annotations: {{a: b}}}}
spec:
  replicas: 3
  minReadySeconds: 5
  revisionHistoryLimit: 3
  progressDeadlineSeconds: 300
  strategy: {{type: RollingUpdate, rollingUpdate: {{maxSurge: 25%, maxUnavailable: 0}}}}
  selector: {{matchLabels: {{app: web}}, matchExpressions: [{{key: tier, operator: Exists}}]}}
  template:
{_TEMPLATE}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  serviceName: db
  replicas: 2
  podManagementPolicy: Parallel
  updateStrategy: {{type: RollingUpdate, rollingUpdate: {{partition: 1}}}}
  persistentVolumeClaimRetentionPolicy: {{whenDeleted: Delete, whenScaled: Retain}}
  selector: {{matchLabels: {{app: db}}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec: {{containers: [{{name: db, image: "db:1", volumeMounts: [{{name: data, mountPath: /data}}], ports: [{{containerPort: 5432, name: db}}]}}]}}
  volumeClaimTemplates:
  - metadata: {{name: data}}
    spec: {{accessModes: [ReadWriteOnce], storageClassName: fast, resources: {{requests: {{storage: 10Gi}}}}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: agent}}
spec:
  updateStrategy: {{type: RollingUpdate, rollingUpdate: {{maxUnavailable: 10%}}}}
  selector: {{matchLabels: {{app: agent}}}}
  template:
    metadata: {{labels: {{app: agent}}}}
    spec: {{hostNetwork: true, hostPID: true, containers: [{{name: agent, image: "agent:1", ports: [{{containerPort: 9100, hostPort: 9100}}], securityContext: {{privileged: true}}}}], tolerations: [{{operator: Exists}}]}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {{name: rs}}
spec: {{replicas: 1, selector: {{matchLabels: {{app: rs}}}}, template: {{metadata: {{labels: {{app: rs}}}}, spec: {{containers: [{{name: a, image: b}}]}}}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {{name: migrate}}
spec: {{backoffLimit: 3, completions: 2, parallelism: 2, completionMode: Indexed, activeDeadlineSeconds: 600, ttlSecondsAfterFinished: 60, {_RUN}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {{name: nightly}}
spec: {{schedule: "*/5 3 * * 1-5", timeZone: Europe/Berlin, concurrencyPolicy: Forbid, startingDeadlineSeconds: 60, successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 1, suspend: false, jobTemplate: {{spec: {{backoffLimit: 1, {_RUN}}}}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  sessionAffinity: ClientIP
  sessionAffinityConfig: {{clientIP: {{timeoutSeconds: 600}}}}
  loadBalancerSourceRanges: [10.0.0.0/8]
  selector: {{app: web}}
  ports: [{{name: http, port: 80, targetPort: http, nodePort: 30080}}, {{name: metrics, port: 9090, targetPort: 9090, protocol: TCP}}]
---
apiVersion: v1
kind: Service
metadata: {{name: db}}
spec: {{clusterIP: None, selector: {{app: db}}, ports: [{{port: 5432, targetPort: db}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: outside}}
spec: {{type: ExternalName, externalName: db.example.com}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: web}}
data: {{a.yaml: "x: 1", MODE: prod}}
binaryData: {{logo: aGVsbG8=}}
---
apiVersion: v1
kind: Secret
metadata: {{name: web}}
type: Opaque
data: {{key: aGVsbG8=}}
stringData: {{other: text}}
---
apiVersion: v1
kind: Secret
metadata: {{name: tls}}
type: kubernetes.io/tls
data: {{tls.crt: aGVsbG8=, tls.key: aGVsbG8=}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: web}}
automountServiceAccountToken: false
imagePullSecrets: [{{name: registry}}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: web}}
spec: {{accessModes: [ReadWriteOnce], storageClassName: fast, volumeMode: Filesystem, resources: {{requests: {{storage: 10Gi}}}}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {{name: disk}}
spec:
  capacity: {{storage: 10Gi}}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: fast
  csi: {{driver: disk.example.com, volumeHandle: vol-1, fsType: ext4}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {{name: quota}}
spec: {{hard: {{requests.cpu: "10", limits.memory: 20Gi, pods: "50", count/deployments.apps: "5"}}, scopes: [NotTerminating]}}
---
apiVersion: v1
kind: LimitRange
metadata: {{name: limits}}
spec: {{limits: [{{type: Container, default: {{cpu: 500m}}, defaultRequest: {{cpu: 100m}}, max: {{cpu: "2"}}, min: {{cpu: 10m}}}}, {{type: PersistentVolumeClaim, max: {{storage: 10Gi}}}}]}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: fresh, labels: {{pod-security.kubernetes.io/enforce: baseline}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web}}
spec:
  ingressClassName: nginx
  tls: [{{hosts: [web.example.com], secretName: tls}}]
  rules:
  - host: web.example.com
    http: {{paths: [{{path: /api, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}, {{path: /x, pathType: Exact, backend: {{service: {{name: web, port: {{name: http}}}}}}}}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: web}}
spec:
  podSelector: {{matchLabels: {{app: web}}}}
  policyTypes: [Ingress, Egress]
  ingress: [{{from: [{{podSelector: {{matchLabels: {{app: a}}}}, namespaceSelector: {{}}}}], ports: [{{port: http, protocol: TCP}}]}}]
  egress: [{{to: [{{ipBlock: {{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}}}], ports: [{{port: 8000, endPort: 9000, protocol: UDP}}]}}]
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {{name: nginx}}
spec: {{controller: k8s.io/ingress-nginx}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: web}}
spec:
  minReplicas: 2
  maxReplicas: 10
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}
  metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 70}}}}}}, {{type: Pods, pods: {{metric: {{name: requests}}, target: {{type: AverageValue, averageValue: "10"}}}}}}]
  behavior: {{scaleDown: {{stabilizationWindowSeconds: 60, policies: [{{type: Pods, value: 1, periodSeconds: 60}}]}}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: web}}
spec: {{minAvailable: 50%, selector: {{matchLabels: {{app: web}}}}}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {{name: fast}}
provisioner: disk.example.com
parameters: {{type: ssd}}
reclaimPolicy: Delete
volumeBindingMode: WaitForFirstConsumer
allowVolumeExpansion: true
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {{name: high}}
value: 1000
preemptionPolicy: Never
description: important
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: reader}}
rules: [{{apiGroups: [""], resources: [pods, pods/log], verbs: [get, list]}}, {{apiGroups: [apps], resources: [deployments], resourceNames: [web], verbs: [patch]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: metrics}}
rules: [{{nonResourceURLs: [/metrics], verbs: [get]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: reader}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}}
subjects: [{{kind: ServiceAccount, name: web, namespace: default}}, {{kind: Group, name: team, apiGroup: rbac.authorization.k8s.io}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: metrics}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: metrics}}
subjects: [{{kind: User, name: jane, apiGroup: rbac.authorization.k8s.io}}]
"""


def bases() -> tuple[dict[str, Any], ...]:
    """One of each kind and form."""
    return tuple(yaml.safe_load_all(_MANIFESTS))
