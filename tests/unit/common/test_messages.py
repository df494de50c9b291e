"""Times and dates of the contract."""

from __future__ import annotations

from datetime import date

from google.type.date_pb2 import Date
from unora.streak.v1.streak_service_pb2 import Nudge
from unora_common.messages import date_fields, to_date

DAY = date(2024, 2, 29)


def test_who_changes_a_date_changes_it_for_nobody_else() -> None:
    to_date(DAY).year = 1900
    assert to_date(DAY) == Date(year=2024, month=2, day=29)


def test_a_field_takes_a_date_by_its_fields_as_it_takes_the_message() -> None:
    assert Nudge(check_in_date=date_fields(DAY)) == Nudge(check_in_date=to_date(DAY))
