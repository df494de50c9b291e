"""PR-01: the time zones that a profile can name. PR-11: which names mean one zone."""

from functools import cache
from importlib.resources import files
from typing import Final

_NO_PLACE: Final = frozenset({"Factory"})  # the zone of a machine that has not been set up


@cache
def time_zones() -> frozenset[str]:
    """IANA names, as the pinned tzdata package lists them: the same on every machine.

    Other zones of a machine, such as `localtime`, mean something else on each machine.
    """
    names = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return frozenset(names) - _NO_PLACE


@cache
def _links() -> dict[str, str]:
    lines = files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text("utf-8").splitlines()
    return {name: target for kind, target, name, *_ in (line.split() + [""] * 3 for line in lines) if kind == "L"}


def canonical_zone(name: str) -> str:
    """The name to which tzdata links this one, or the name itself. Two names of one zone give the same."""
    while name in _links():
        name = _links()[name]
    return name


def names_a_region(name: str) -> bool:
    """Whether the zone says where somebody lives. UTC, offsets such as Etc/GMT+5 and abbreviations do not."""
    return "/" in canonical_zone(name) and not canonical_zone(name).startswith("Etc/")
