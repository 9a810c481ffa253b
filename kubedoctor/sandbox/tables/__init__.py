"""Server-side printing: the Table that `kubectl get` shows (`pkg/printers/internalversion`, v1.37)."""

from __future__ import annotations

from kubedoctor.sandbox.tables.ages import age, human_duration
from kubedoctor.sandbox.tables.table import table

__all__ = ["age", "human_duration", "table"]
