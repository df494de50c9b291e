"""PR-01, ID-08: the profile and the age of its owner."""

import zoneinfo
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_common.time_zones import time_zone_names
from unora_identity.domain.age import AgeBand, age_at, age_band, age_band_changes_at, age_on
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import (
    EARLIEST_ZONE,
    BirthDateImpossible,
    Gender,
    Profile,
    TimeZoneUnknown,
    UnderAge,
    clean_profile,
    is_adult,
    is_complete,
    missing_fields,
    without_refused_date,
)
from unora_identity.domain.text import TextNotPrintable, TextOutOfBounds

POLICY = Policy()
NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
GRACE = Profile(
    name="Grace", date_of_birth=date(1990, 12, 9), gender=Gender.WOMAN, city="New York", time_zone="America/New_York"
)


@pytest.mark.rule("ID-08")
@pytest.mark.parametrize(
    "zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "America/Santiago"]
)
def test_eighteen_is_reached_at_midnight_in_the_members_own_zone(zone: str) -> None:
    birthday = datetime(2026, 1, 10, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    member = replace(GRACE, date_of_birth=date(2008, 1, 10), time_zone=zone)
    assert is_adult(member, birthday, POLICY)
    assert not is_adult(member, birthday - timedelta(microseconds=1), POLICY)


@pytest.mark.rule("ID-08")
def test_a_member_born_on_a_leap_day_is_18_on_the_first_of_march() -> None:
    born = date(2008, 2, 29)
    assert age_on(born, date(2026, 2, 28)) == 17
    assert age_on(born, date(2026, 3, 1)) == 18
    assert age_on(date(2012, 2, 29), date(2032, 2, 29)) == 20


@pytest.mark.rule("ID-08")
def test_a_minor_cannot_complete_a_profile() -> None:
    minor = replace(GRACE, date_of_birth=date(2008, 1, 11))
    with pytest.raises(UnderAge):
        clean_profile(minor, NOW, POLICY)
    assert not is_complete(minor, NOW, POLICY)
    # Nor without a time zone, where it is the birthday already in UTC+14: the profile is not complete.
    assert not is_complete(clean_profile(replace(minor, time_zone=""), NOW, POLICY), NOW, POLICY)


@pytest.mark.rule("ID-08")
def test_without_a_zone_a_date_is_refused_that_is_under_age_everywhere() -> None:
    in_utc_14 = datetime(2026, 1, 10, 10, tzinfo=UTC)  # there the 11th begins
    zoneless = replace(GRACE, date_of_birth=date(2008, 1, 11), time_zone="")
    clean_profile(zoneless, in_utc_14, POLICY)
    for now in (in_utc_14 - timedelta(microseconds=1), in_utc_14 - timedelta(days=400)):
        with pytest.raises(UnderAge) as refused:
            clean_profile(zoneless, now, POLICY)
        assert list(refused.value.violations) == ["profile.date_of_birth"]
    assert max(ZoneInfo(zone).utcoffset(in_utc_14) or timedelta() for zone in time_zone_names()) == EARLIEST_ZONE


@pytest.mark.rule("ID-08")
def test_a_refused_date_that_was_waiting_for_its_zone_does_not_stay() -> None:
    minor = replace(GRACE, date_of_birth=date(2008, 1, 11), time_zone="")
    assert without_refused_date(minor, replace(minor, time_zone="UTC"), NOW, POLICY) == replace(
        minor, date_of_birth=None
    )
    # Another date is refused: what is stored was not. And the zone of an adult is refused, not the date.
    assert without_refused_date(GRACE, replace(GRACE, date_of_birth=date(2015, 1, 1)), NOW, POLICY) == GRACE
    just_18 = replace(GRACE, date_of_birth=date(2008, 1, 11), time_zone="Pacific/Kiritimati")
    assert without_refused_date(just_18, replace(just_18, time_zone="UTC"), NOW, POLICY) is None


@pytest.mark.parametrize("born", [date(2026, 1, 12), date(9999, 12, 31), date(1900, 1, 1), date.min])
def test_impossible_birth_dates_are_refused(born: date) -> None:
    with pytest.raises(BirthDateImpossible):
        clean_profile(replace(GRACE, date_of_birth=born), NOW, POLICY)


def test_a_time_without_a_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        age_at(date(2000, 1, 1), "UTC", NOW.replace(tzinfo=None))


@pytest.mark.rule("PR-06")
@pytest.mark.parametrize("gap", ["name", "date_of_birth", "gender", "city", "time_zone"])
def test_a_profile_is_complete_when_all_required_fields_are_filled(gap: str) -> None:
    assert is_complete(clean_profile(GRACE, NOW, POLICY), NOW, POLICY)
    gapped = replace(GRACE, **{gap: getattr(Profile(), gap)})
    assert not is_complete(gapped, NOW, POLICY)
    assert missing_fields(gapped, NOW, POLICY) == ["place_id" if gap == "city" else gap]


@pytest.mark.rule("PR-06")
def test_an_empty_profile_lacks_every_required_field() -> None:
    assert missing_fields(Profile(), NOW, POLICY) == ["name", "date_of_birth", "gender", "place_id", "time_zone"]


@pytest.mark.rule("PR-01")
@pytest.mark.parametrize(
    "zone",
    ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "utc ", "Europe", "localtime", "posixrules", "Factory"],
)
def test_a_time_zone_is_one_of_iana(zone: str) -> None:
    with pytest.raises(TimeZoneUnknown):
        clean_profile(replace(GRACE, time_zone=zone), NOW, POLICY)


@pytest.mark.rule("PR-01")
def test_the_machine_adds_and_removes_no_time_zone(tmp_path: Path) -> None:
    (tmp_path / "localtime").write_bytes(files("tzdata.zoneinfo").joinpath("UTC").read_bytes())
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([tmp_path])
    time_zone_names.cache_clear()
    try:
        assert "localtime" in zoneinfo.available_timezones()
        assert "localtime" not in time_zone_names()
        assert {"UTC", "Europe/Kyiv", "Asia/Calcutta"} <= time_zone_names()
    finally:
        zoneinfo.reset_tzpath(before)


@pytest.mark.rule("PR-01", "ST-03")
def test_every_accepted_time_zone_can_be_used() -> None:
    assert all(ZoneInfo(zone).utcoffset(NOW) is not None for zone in time_zone_names())


@pytest.mark.rule("PR-01")
def test_texts_are_cleaned_and_bounded() -> None:
    cleaned = clean_profile(replace(GRACE, name="  Zoe\u0308  ", bio="one\r\ntwo"), NOW, POLICY)
    assert (cleaned.name, cleaned.bio) == ("Zoë", "one\ntwo")
    for field, most in (("name", 60), ("bio", 500), ("occupation", 80)):
        fitting: dict[str, Any] = {field: "é" * most}
        clean_profile(replace(GRACE, **fitting), NOW, POLICY)
        too_long: dict[str, Any] = {field: "é" * (most + 1)}
        with pytest.raises(TextOutOfBounds) as refused:
            clean_profile(replace(GRACE, **too_long), NOW, POLICY)
        assert list(refused.value.violations) == [f"profile.{field}"]
    for nothing in ("   ", "\u200b", "\u200d \u2060"):
        with pytest.raises(TextOutOfBounds):
            clean_profile(replace(GRACE, name=nothing), NOW, POLICY)
    assert clean_profile(replace(GRACE, name="👩‍🚀"), NOW, POLICY).name == "👩‍🚀"


@pytest.mark.rule("PR-12")
@pytest.mark.parametrize(
    "nothing",
    ["\u2800", "\u3164", "\u115f", "\u1160", "\uffa0", "\U0001d159", "\u0301\u0308", "\ufe0f", "\U000e0041\u00ad"],
)
def test_a_text_that_shows_nothing_is_empty(nothing: str) -> None:
    for name in ("name", "bio"):
        shown: dict[str, Any] = {name: nothing}
        with pytest.raises(TextOutOfBounds):
            clean_profile(replace(GRACE, **shown), NOW, POLICY)
    assert clean_profile(replace(GRACE, occupation=nothing), NOW, POLICY).occupation == ""


@pytest.mark.rule("PR-12")
def test_lengths_count_graphemes_and_a_grapheme_has_few_code_points() -> None:
    assert clean_profile(replace(GRACE, name="a\u200b\u200b"), NOW, POLICY).name == "a"
    family = "👨‍👩‍👧‍👦"
    for most in (family * 60, "क्षि" * 60, "e\u0301" * 60):
        clean_profile(replace(GRACE, name=most), NOW, POLICY)
        with pytest.raises(TextOutOfBounds):
            clean_profile(replace(GRACE, name=most + most[: len(most) // 60]), NOW, POLICY)
    for piled in ("a" + "\u0301" * 10_000, "a" + "\u0335" * 16):
        with pytest.raises(TextOutOfBounds):
            clean_profile(replace(GRACE, name=piled), NOW, POLICY)


@pytest.mark.rule("PR-12")
def test_a_text_that_does_not_change_is_not_judged_again() -> None:
    earlier = replace(GRACE, name="\u3164")
    assert clean_profile(replace(earlier, bio="new"), NOW, POLICY, earlier).bio == "new"
    with pytest.raises(TextOutOfBounds):
        clean_profile(replace(earlier, bio="new"), NOW, POLICY)


@pytest.mark.rule("PR-01")
@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "a\u202eb", "a\u2028b", "a\x7fb"])
def test_characters_that_cannot_be_seen_are_refused(text: str) -> None:
    with pytest.raises(TextNotPrintable):
        clean_profile(replace(GRACE, name=text), NOW, POLICY)


@pytest.mark.rule("DI-08")
def test_every_adult_age_has_a_band() -> None:
    assert [age_band(age) for age in (18, 24, 25, 39, 40, 49, 50, 59, 60, 120)] == [
        AgeBand.FROM_18,
        AgeBand.FROM_18,
        AgeBand.FROM_25,
        AgeBand.FROM_35,
        AgeBand.FROM_40,
        AgeBand.FROM_40,
        AgeBand.FROM_50,
        AgeBand.FROM_50,
        AgeBand.FROM_60,
        AgeBand.FROM_60,
    ]
    with pytest.raises(ValueError, match="no band"):
        age_band(17)


ZONES = ["UTC", "Europe/London", "Pacific/Kiritimati", "America/Santiago", "Asia/Beirut", "Africa/Cairo"]


@pytest.mark.rule("DI-08")
@given(
    born=st.dates(date(1910, 1, 1), date(2008, 1, 8)) | st.sampled_from([date(1996, 2, 29), date(2000, 2, 29)]),
    zone=st.sampled_from(ZONES),
    after=st.timedeltas(timedelta(0), timedelta(days=14 * 365)),
)
def test_a_band_lasts_until_the_next_begins(born: date, zone: str, after: timedelta) -> None:
    now = NOW + after
    band = age_band(age_at(born, zone, now))
    changes_at = age_band_changes_at(born, zone, now)
    if changes_at is None:
        assert band is AgeBand.FROM_60
        return
    assert changes_at > now
    bands = list(AgeBand)
    assert age_band(age_at(born, zone, changes_at - timedelta(microseconds=1))) is band
    assert age_band(age_at(born, zone, changes_at)) is bands[bands.index(band) + 1]


@pytest.mark.rule("DI-08")
def test_a_band_begins_at_midnight_where_the_member_lives() -> None:
    now = datetime(2025, 1, 10, tzinfo=UTC)
    assert age_band_changes_at(date(2000, 2, 29), "UTC", now) == datetime(2025, 3, 1, tzinfo=UTC)
    assert age_band_changes_at(date(2000, 6, 1), "Asia/Tokyo", now) == datetime(2025, 5, 31, 15, tzinfo=UTC)
    # On this day in Cairo the clocks go from midnight to one.
    assert age_band_changes_at(date(2000, 4, 25), "Africa/Cairo", now) == datetime(2025, 4, 24, 22, tzinfo=UTC)
