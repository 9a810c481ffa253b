"""The way to an API server, step by step, and what may be read there."""

from kubedoctor.collect.doctor.asking import AskedRights, ask_rights
from kubedoctor.collect.doctor.way import AccessWay, take_way

__all__ = ["AccessWay", "AskedRights", "ask_rights", "take_way"]
