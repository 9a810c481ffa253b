"""What autoscalers report about themselves and about a pod that waits for a node: the cluster-autoscaler and
Karpenter."""
