"""CEL as the API server evaluates it (`apiserver/pkg/cel`, v1.37), through Google's library where it is installed."""

from kubedoctor.replay.cel.expressions import Outcome, Verdict, evaluated, is_installed

__all__ = ["Outcome", "Verdict", "evaluated", "is_installed"]
