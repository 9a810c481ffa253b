"""Why does a workload have this number of pods? Its autoscaler replayed on what its status reports."""
