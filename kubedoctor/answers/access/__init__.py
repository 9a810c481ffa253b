"""Whether a cluster can be reached, what may be read there, and the smallest role that allows the rest."""

from kubedoctor.answers.access.access_sheet import AccessFound, access_found_sheet
from kubedoctor.answers.access.needed import (
    NeededRight,
    needed_paths,
    needed_rights,
    role_documents,
    rules_of_rights,
    subject_of,
)
from kubedoctor.answers.access.steps import AccessStep

__all__ = [
    "AccessFound",
    "AccessStep",
    "NeededRight",
    "access_found_sheet",
    "needed_paths",
    "needed_rights",
    "role_documents",
    "rules_of_rights",
    "subject_of",
]
