"""Which tolerations tolerate which taints (`api/core/v1/toleration.go`, `component-helpers/scheduling/corev1`, v1.37)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, Protocol, TypeVar

from kubedoctor.cluster.grammar.label_requirements import parse_int64
from kubedoctor.cluster.grammar.patterns import compiled_later

_CANONICAL_INTEGER: Final = compiled_later(r"0|-?[1-9][0-9]*")


class TolerationLike(Protocol):
    """A `v1.Toleration`; an operator that is absent is Equal."""

    @property
    def key(self) -> str | None: ...
    @property
    def operator(self) -> str | None: ...
    @property
    def value(self) -> str | None: ...
    @property
    def effect(self) -> str | None: ...


class TaintLike(Protocol):
    """A `v1.Taint`."""

    @property
    def key(self) -> str: ...
    @property
    def value(self) -> str | None: ...
    @property
    def effect(self) -> str: ...


TaintT = TypeVar("TaintT", bound=TaintLike)


def tolerates(toleration: TolerationLike, taint: TaintLike, *, comparison: bool = False) -> bool:
    """Whether the taint is tolerated, even for a limited time.

    `comparison` is the gate TaintTolerationComparisonOperators, off by default: without it
    the operators Lt and Gt tolerate nothing.
    """
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    match toleration.operator or "Equal":
        case "Equal":
            return (toleration.value or "") == (taint.value or "")
        case "Exists":
            return True
        case "Lt" | "Gt" if comparison:
            bound, number = _integer(toleration.value or ""), _integer(taint.value or "")
            if bound is None or number is None:
                return False
            return number < bound if toleration.operator == "Lt" else number > bound
    return False


def _integer(text: str) -> int | None:
    """A decimal number of 64 bits, without a plus sign or leading zeros; None if it is anything else."""
    return parse_int64(text) if _CANONICAL_INTEGER.fullmatch(text) else None


def untolerated(
    tolerations: Sequence[TolerationLike] | None,
    taints: Iterable[TaintT] | None,
    effects: Collection[str] = ("NoSchedule", "NoExecute"),
    *,
    comparison: bool = False,
) -> TaintT | None:
    """The first taint with one of these effects that no toleration tolerates; None if there is none."""
    for taint in taints or ():
        if taint.effect in effects and not any(
            tolerates(toleration, taint, comparison=comparison) for toleration in tolerations or ()
        ):
            return taint
    return None
