"""ID-08, ST-03: the names of time zones, and which of them mean the same zone, by the pinned tzdata package."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_NO_PLACE: Final = frozenset({"Factory"})  # the zone of a machine that has not been set up


@cache
def time_zone_names() -> frozenset[str]:
    """IANA names, as the pinned tzdata package lists them: the same on every machine.

    Other zones of a machine, such as `localtime`, mean something else on each machine.
    """
    return frozenset(_package().joinpath("zones").read_text("utf-8").split()) - _NO_PLACE


@cache
def country_time_zones() -> frozenset[str]:
    """The zones of countries: each stands for one country or a part of it, also where tzdata links it to the zone of
    another country whose clocks show the same, as Europe/Stockholm to Europe/Berlin.
    """
    lines = _package().joinpath("zoneinfo", "zone.tab").read_text("utf-8").splitlines()
    return frozenset(line.split("\t")[2] for line in lines if not line.startswith("#"))


def canonical_time_zone(name: str) -> str:
    """ST-03: the name to which tzdata's links lead, or the name itself if it is no link: "Asia/Kolkata" for
    "Asia/Calcutta". Two names of one zone have the same canonical name.
    """
    return _canonical_names().get(name, name)


@cache
def _canonical_names() -> Mapping[str, str]:
    """The canonical name of each link. A link is a line `L TARGET NAME`, and may lead to another link."""
    lines = _package().joinpath("zoneinfo", "tzdata.zi").read_text("utf-8").splitlines()
    links = [line.split() for line in lines if line.startswith("L ")]
    targets = {name: target for _, target, name in links}
    return {name: _follow(targets, name) for name in targets}


def _follow(targets: Mapping[str, str], name: str) -> str:
    while name in targets:
        name = targets[name]
    return name


def _package() -> Traversable:
    return files("tzdata")
