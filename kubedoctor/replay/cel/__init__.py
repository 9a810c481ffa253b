"""CEL as the API server evaluates it (`apiserver/pkg/cel`, v1.37), through Google's library where it is installed."""

from kubedoctor.replay.cel.expressions import CelOutcome, CelVerdict, evaluated, is_installed

__all__ = ["CelOutcome", "CelVerdict", "evaluated", "is_installed"]
