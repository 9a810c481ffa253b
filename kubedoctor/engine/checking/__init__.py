"""Files beside a cluster: what would be wrong if they were applied. Nothing is sent."""

from kubedoctor.engine.checking.checked import Checked, check_files, empty_cluster
from kubedoctor.engine.checking.difference import difference
from kubedoctor.engine.checking.surroundings import Surroundings, custom_kinds, minor_of

__all__ = ["Checked", "Surroundings", "check_files", "custom_kinds", "difference", "empty_cluster", "minor_of"]
