"""Traffic that finds nobody."""
