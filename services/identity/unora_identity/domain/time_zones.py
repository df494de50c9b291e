"""PR-01: the time zones that a profile can name."""

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
