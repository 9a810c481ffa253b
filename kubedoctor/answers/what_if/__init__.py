"""What would follow from a change: the change in the words of kubectl, and what controllers make of it."""

from kubedoctor.answers.what_if.following import Following, followed
from kubedoctor.answers.what_if.kubectl_lines import FORMS, Intended, UnreadChange, read_change

__all__ = ["FORMS", "Following", "Intended", "UnreadChange", "followed", "read_change"]
