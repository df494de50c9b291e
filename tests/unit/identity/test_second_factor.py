"""ID-15: the second factor of admins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_identity.domain.policy import Policy
from unora_identity.domain.second_factor import (
    FactorTried,
    SecondFactor,
    new_secret,
    provisioning_uri,
    try_second_factor,
)

pytestmark = pytest.mark.rule("ID-15")
NOW, POLICY = datetime(2026, 1, 10, 12, tzinfo=UTC), Policy()
STEP = timedelta(seconds=30)
SECRET = new_secret()
WRONG = "no code"
FRESH = SecondFactor(user_id=uuid4(), secret_sealed=b"")


def at(moment: datetime) -> str:
    return pyotp.TOTP(SECRET).at(moment)


def tried(factor: SecondFactor, code: str, now: datetime = NOW) -> FactorTried:
    return try_second_factor(factor, SECRET, code, now, POLICY)


def reason(done: FactorTried) -> str | None:
    return done.refusal.reason if done.refusal else None


def test_codes_of_the_step_before_and_after_are_taken_and_no_others() -> None:
    taken = [reason(tried(FRESH, at(NOW + steps * STEP))) is None for steps in range(-3, 4)]
    assert taken == [False, False, True, True, True, False, False]


def test_a_code_is_used_up_with_all_before_it() -> None:
    used = tried(FRESH, at(NOW)).factor
    for steps, refused in ((-1, True), (0, True), (1, False)):
        assert (reason(tried(used, at(NOW + steps * STEP))) == "SECOND_FACTOR_WRONG") is refused
    # Half a minute later its code is still near, and still used.
    assert reason(tried(used, at(NOW), NOW + STEP)) == "SECOND_FACTOR_WRONG"
    assert reason(tried(used, at(NOW + STEP), NOW + STEP)) is None


@pytest.mark.parametrize("between", [" ", "-", "\u2011", "\u00a0", "\u200b"])
def test_a_code_may_be_typed_with_spaces_dashes_and_in_any_digits(between: str) -> None:
    typed = between.join(chr(0x660 + int(digit)) for digit in at(NOW))
    assert reason(tried(FRESH, typed)) is None


def test_after_five_wrong_codes_in_an_hour_the_right_one_is_refused_too() -> None:
    factor = FRESH
    for minute in range(5):
        done = tried(factor, WRONG, NOW + timedelta(minutes=minute))
        assert (reason(done), done.counted) == ("SECOND_FACTOR_WRONG", True)
        factor = done.factor
    late = NOW + timedelta(minutes=59, seconds=59)
    done = tried(factor, at(late), late)
    assert (reason(done), done.counted, done.factor) == ("TOO_MANY_SECOND_FACTORS", False, factor)
    assert done.refusal is not None
    assert done.refusal.metadata == {"retry_after": "3600"}
    # The window slides: one place is free, and no more.
    later = NOW + timedelta(hours=1)
    assert reason(tried(factor, at(later), later)) is None
    again = tried(tried(factor, WRONG, later).factor, at(later), later)
    assert reason(again) == "TOO_MANY_SECOND_FACTORS"


def test_a_right_code_does_not_clear_the_wrong_ones() -> None:
    factor = FRESH
    for _ in range(4):
        factor = tried(factor, WRONG).factor
    factor = tried(tried(factor, at(NOW)).factor, WRONG).factor
    assert reason(tried(factor, at(NOW + STEP))) == "TOO_MANY_SECOND_FACTORS"


def test_codes_are_read_as_people_type_them() -> None:
    code = at(NOW)
    arabic = code.translate({ord("0") + digit: chr(0x660 + digit) for digit in range(10)})
    for typed in (f"{code[:3]} {code[3:]}", f" {code}\n", f"{code[:3]}-{code[3:]}", arabic):
        assert reason(tried(FRESH, typed)) is None


@given(st.text(max_size=32).filter(lambda text: sum(char.isdecimal() for char in text) != 6))
def test_any_other_text_is_a_wrong_code(text: str) -> None:
    done = tried(FRESH, text)
    assert (reason(done), done.counted) == ("SECOND_FACTOR_WRONG", True)


def test_a_secret_has_160_bits_and_its_address_names_the_member_by_id_only() -> None:
    assert len(pyotp.TOTP(SECRET).byte_secret()) == 20
    assert new_secret() != SECRET
    assert provisioning_uri("A" * 32, UUID(int=1)) == (
        f"otpauth://totp/Unora:00000000-0000-0000-0000-000000000001?secret={'A' * 32}&issuer=Unora"
    )
