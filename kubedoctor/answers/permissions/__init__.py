"""What would allow a request that the API server refuses."""

from kubedoctor.answers.permissions.grants import allowed_by, bound, bound_too, granted
from kubedoctor.answers.permissions.near_words import what_misses

__all__ = ["allowed_by", "bound", "bound_too", "granted", "what_misses"]
