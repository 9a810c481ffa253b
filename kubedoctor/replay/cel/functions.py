"""The functions that Kubernetes adds to CEL (`apiserver/pkg/cel/library`, v1.37) and those of cel-go's extensions that the
library lacks. A quantity, an address, a range, a URL and a version are maps with a key that no JSON has.

Not here: `format`, whose answers are optional values, and `authorizer`, whose answers depend on who asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from kubedoctor.replay.cel import lists, networks, quantities, texts, versions

ANY: Final = "DYN"


class Overload(NamedTuple):
    """takes, gives: names of types."""

    takes: tuple[str, ...]
    gives: str
    does: Callable[..., Any]
    member: bool = True


def _by_kind(choices: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    """Several kinds have a method of one name."""

    def chosen(value: Any, *more: Any) -> Any:
        for key, does in choices.items():
            if key in value:
                return does(value, *more)
        raise ValueError("no such overload")

    return chosen


def _is(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    def holds(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return holds


def _free(does: Callable[..., Any], gives: str = "MAP", *takes: str) -> Overload:
    return Overload(takes or ("STRING",), gives, does, member=False)


_Q, _V = quantities.KEY, versions.KEY
FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "quantity": (_free(quantities.quantity),),
    "isQuantity": (_free(_is(quantities.quantity), "BOOL"),),
    "sign": (Overload(("MAP",), "INT", quantities.sign),),
    "isInteger": (Overload(("MAP",), "BOOL", quantities.is_integer),),
    "asInteger": (Overload(("MAP",), "INT", quantities.as_integer),),
    "asApproximateFloat": (Overload(("MAP",), "DOUBLE", quantities.as_float),),
    "add": (Overload(("MAP", "MAP"), "MAP", quantities.add), Overload(("MAP", "INT"), "MAP", quantities.add)),
    "sub": (Overload(("MAP", "MAP"), "MAP", quantities.sub), Overload(("MAP", "INT"), "MAP", quantities.sub)),
    "isLessThan": (Overload(("MAP", "MAP"), "BOOL", _by_kind({_Q: quantities.is_less, _V: versions.is_less})),),
    "isGreaterThan": (
        Overload(("MAP", "MAP"), "BOOL", _by_kind({_Q: quantities.is_greater, _V: versions.is_greater})),
    ),
    "compareTo": (Overload(("MAP", "MAP"), "INT", _by_kind({_Q: quantities.compare, _V: versions.compare})),),
    "semver": (_free(versions.semver), _free(versions.semver, "MAP", "STRING", "BOOL")),
    "isSemver": (
        _free(_is(versions.semver), "BOOL"),
        _free(versions.is_semver, "BOOL", "STRING", "BOOL"),
    ),
    "major": (Overload(("MAP",), "INT", versions.major),),
    "minor": (Overload(("MAP",), "INT", versions.minor),),
    "patch": (Overload(("MAP",), "INT", versions.patch),),
    "ip": (_free(networks.ip), Overload(("MAP",), "MAP", networks.ip_of)),
    "isIP": (_free(_is(networks.ip), "BOOL"),),
    "ip.isCanonical": (_free(networks.is_canonical, "BOOL"),),
    "family": (Overload(("MAP",), "INT", networks.family),),
    "isUnspecified": (Overload(("MAP",), "BOOL", networks.is_unspecified),),
    "isLoopback": (Overload(("MAP",), "BOOL", networks.is_loopback),),
    "isLinkLocalMulticast": (Overload(("MAP",), "BOOL", networks.is_link_local_multicast),),
    "isLinkLocalUnicast": (Overload(("MAP",), "BOOL", networks.is_link_local_unicast),),
    "isGlobalUnicast": (Overload(("MAP",), "BOOL", networks.is_global_unicast),),
    "cidr": (_free(networks.cidr),),
    "isCIDR": (_free(_is(networks.cidr), "BOOL"),),
    "containsIP": (
        Overload(("MAP", "MAP"), "BOOL", networks.contains_ip),
        Overload(("MAP", "STRING"), "BOOL", networks.contains_ip),
    ),
    "containsCIDR": (
        Overload(("MAP", "MAP"), "BOOL", networks.contains_cidr),
        Overload(("MAP", "STRING"), "BOOL", networks.contains_cidr),
    ),
    "masked": (Overload(("MAP",), "MAP", networks.masked),),
    "prefixLength": (Overload(("MAP",), "INT", networks.prefix_length),),
    "url": (_free(networks.url),),
    "isURL": (_free(_is(networks.url), "BOOL"),),
    "getScheme": (Overload(("MAP",), "STRING", networks.part("scheme")),),
    "getHost": (Overload(("MAP",), "STRING", networks.part("host")),),
    "getHostname": (Overload(("MAP",), "STRING", networks.part("hostname")),),
    "getPort": (Overload(("MAP",), "STRING", networks.part("port")),),
    "getEscapedPath": (Overload(("MAP",), "STRING", networks.part("path")),),
    "getQuery": (Overload(("MAP",), "MAP", networks.part("query")),),
    "find": (Overload(("STRING", "STRING"), "STRING", texts.find),),
    "findAll": (
        Overload(("STRING", "STRING"), "LIST", texts.find_all),
        Overload(("STRING", "STRING", "INT"), "LIST", texts.find_all),
    ),
    "jsonpatch.escapeKey": (_free(texts.escape_key, "STRING"),),
    "charAt": (Overload(("STRING", "INT"), "STRING", texts.char_at),),
    "indexOf": (
        Overload(("STRING", "STRING"), "INT", texts.index_of),
        Overload(("STRING", "STRING", "INT"), "INT", texts.index_of),
        Overload(("LIST", ANY), "INT", lists.index_of),
    ),
    "lastIndexOf": (
        Overload(("STRING", "STRING"), "INT", texts.last_index_of),
        Overload(("LIST", ANY), "INT", lists.last_index_of),
    ),
    "lowerAscii": (Overload(("STRING",), "STRING", texts.lower_ascii),),
    "upperAscii": (Overload(("STRING",), "STRING", texts.upper_ascii),),
    "replace": (
        Overload(("STRING", "STRING", "STRING"), "STRING", texts.replace),
        Overload(("STRING", "STRING", "STRING", "INT"), "STRING", texts.replace),
    ),
    "split": (
        Overload(("STRING", "STRING"), "LIST", texts.split),
        Overload(("STRING", "STRING", "INT"), "LIST", texts.split),
    ),
    "substring": (
        Overload(("STRING", "INT"), "STRING", texts.substring),
        Overload(("STRING", "INT", "INT"), "STRING", texts.substring),
    ),
    "trim": (Overload(("STRING",), "STRING", texts.trim),),
    "reverse": (
        Overload(("STRING",), "STRING", texts.reverse),
        Overload(("LIST",), "LIST", texts.reverse),
    ),
    "join": (
        Overload(("LIST",), "STRING", texts.join),
        Overload(("LIST", "STRING"), "STRING", texts.join),
    ),
    "format": (Overload(("STRING", "LIST"), "STRING", texts.formatted),),
    "isSorted": (Overload(("LIST",), "BOOL", lists.is_sorted),),
    "sum": (Overload(("LIST",), ANY, lists.total),),
    "min": (Overload(("LIST",), ANY, min),),
    "max": (Overload(("LIST",), ANY, max),),
    "slice": (Overload(("LIST", "INT", "INT"), "LIST", lists.part),),
    "sort": (Overload(("LIST",), "LIST", lists.ordered),),
    "distinct": (Overload(("LIST",), "LIST", lists.distinct),),
    "flatten": (Overload(("LIST",), "LIST", lists.flat), Overload(("LIST", "INT"), "LIST", lists.flat)),
    "lists.range": (_free(lists.counted_up, "LIST", "INT"),),
    "sets.contains": (_free(lists.contains, "BOOL", "LIST", "LIST"),),
    "sets.equivalent": (_free(lists.equivalent, "BOOL", "LIST", "LIST"),),
    "sets.intersects": (_free(lists.intersects, "BOOL", "LIST", "LIST"),),
}
OWN_NAMES: Final = frozenset(FUNCTIONS)
