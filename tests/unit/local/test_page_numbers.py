"""The numbers that the page fills in."""

from __future__ import annotations

import re
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneNumberType

SOURCE = Path(__file__).parents[3] / "deploy/local/page/src/phone/prepared.ts"
LEAST = 250
"""Areas, of a hundred numbers each: two phones, and the phones of one day, seldom meet the same."""


def test_every_area_that_the_page_draws_from_gets_texts() -> None:
    (listed,) = re.findall(r"AREAS = `([\d\s]+)`", SOURCE.read_text())
    areas = listed.split()
    assert len(set(areas)) == len(areas) >= LEAST
    for area in areas:
        number = phonenumbers.parse(f"+1{area}5550100")
        assert phonenumbers.number_type(number) is PhoneNumberType.FIXED_LINE_OR_MOBILE, area
