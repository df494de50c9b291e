"""ST-03: the time zone of a pair's days. Two names of one zone are one zone."""

from collections.abc import Iterator
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from unora_streak.domain.time_zones import pair_zone


def _links() -> Iterator[tuple[str, str]]:
    """All links of the data set: a name, and the name that it stands for. Read apart from the code under test."""
    for line in files("tzdata.zoneinfo").joinpath("tzdata.zi").read_text("utf-8").splitlines():
        if line.startswith("L "):
            _, target, name = line.split()
            yield name, target


LINKS = [*_links()]


@pytest.mark.rule("ST-03")
@pytest.mark.parametrize(
    ("a", "b", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin", "Europe/Berlin"),
        ("Europe/Berlin", "Europe/Vienna", "UTC"),  # the same clock today, not the same zone
        ("Asia/Tokyo", "America/New_York", "UTC"),
        ("Asia/Tokyo", None, "UTC"),
        (None, None, "UTC"),
        ("Mars/Olympus", "Mars/Olympus", "UTC"),
        ("../../etc/passwd", "../../etc/passwd", "UTC"),
        ("America", "America", "UTC"),
        ("", "", "UTC"),
    ],
)
def test_the_zone_is_the_pairs_if_both_have_the_same(a: str | None, b: str | None, zone: str) -> None:
    assert pair_zone(a, b) == zone


@pytest.mark.rule("ST-03")
@pytest.mark.parametrize(("name", "target"), LINKS)
def test_a_name_and_the_name_that_it_links_to_are_one_zone(name: str, target: str) -> None:
    zone = pair_zone(name, target)
    assert zone in (name, target)
    assert zone == pair_zone(target, name), "the order of the members must make no difference"
    assert ZoneInfo(zone).key == zone


@pytest.mark.rule("ST-03")
def test_the_data_set_has_links() -> None:
    assert len(LINKS) > 200, "tzdata.zi has no links any more: find out where tzdata keeps them"


@pytest.mark.rule("ST-03")
@pytest.mark.parametrize(
    ("a", "b", "zone"),
    [
        ("Asia/Calcutta", "Asia/Kolkata", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv", "Europe/Kyiv"),
        ("GB", "Europe/Jersey", "Europe/Jersey"),  # two links to a third name
        ("US/Pacific", "US/Pacific", "US/Pacific"),  # a name stays as it was given
        ("asia/calcutta", "Asia/Kolkata", "UTC"),  # names are case-sensitive
    ],
)
def test_the_pairs_zone_is_one_of_the_two_names(a: str, b: str, zone: str) -> None:
    assert pair_zone(a, b) == pair_zone(b, a) == zone
