"""What autoscalers say of themselves and of a pod that waits for a node: the cluster-autoscaler and Karpenter."""
