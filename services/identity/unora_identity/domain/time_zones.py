"""PR-01: the time zones there are."""

from functools import cache
from importlib.resources import files
from typing import Final

_NO_PLACE: Final = frozenset({"Factory"})  # what a machine says before anybody has told it where it stands


@cache
def time_zones() -> frozenset[str]:
    """IANA names, as the pinned tzdata package lists them: the same on every machine.

    What a machine calls a zone besides, such as `localtime`, means another thing on each.
    """
    names = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return frozenset(names) - _NO_PLACE
