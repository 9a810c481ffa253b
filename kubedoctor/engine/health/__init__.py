"""The health of objects by their own status: at this moment, and trouble that lasts."""

from kubedoctor.engine.health.named import extensions_named
from kubedoctor.engine.health.pod_status import pod_status
from kubedoctor.engine.health.states import Health, StatedHealth, health_of, stated_health
from kubedoctor.engine.health.trouble import Trouble, stated_trouble
from kubedoctor.engine.health.unexplained import left_open, unseen_trouble
from kubedoctor.replay.status.conditions import bad_conditions

__all__ = [
    "Health",
    "StatedHealth",
    "Trouble",
    "bad_conditions",
    "extensions_named",
    "health_of",
    "left_open",
    "pod_status",
    "stated_health",
    "stated_trouble",
    "unseen_trouble",
]
