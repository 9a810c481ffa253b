"""What a change would repair, leave and break: the scan replayed on a changed copy of what was seen."""

from kubedoctor.engine.rehearsal.rehearsal_sheet import rehearsal_sheet
from kubedoctor.engine.rehearsal.rehearsed import Rehearsal, rehearsal_of, rehearse

__all__ = ["Rehearsal", "rehearsal_of", "rehearsal_sheet", "rehearse"]
