"""What would allow a request that the API server refuses."""

from kubedoctor.answers.permissions.grants import allowed_by, granted

__all__ = ["allowed_by", "granted"]
