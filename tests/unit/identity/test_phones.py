"""ID-01, ID-02, ID-09: phone numbers, codes, and how they are stored."""

from uuid import uuid4

import pytest
from unora_identity.domain.phone_numbers import PhoneInvalid, normalise_phone_number
from unora_identity.providers.keyed_hasher import KeyedHasher
from unora_identity.providers.master_key import MasterKey, Unsealable
from unora_identity.providers.random_secrets import new_code

NUMBER = "+41791234567"


@pytest.mark.rule("ID-01")
@pytest.mark.parametrize(
    "raw", [NUMBER, " +41 79 123 45 67 ", "+41-79-123-45-67", "+41 (0)79 123 45 67", "\uff0b41791234567"]
)
def test_one_number_has_one_form(raw: str) -> None:
    assert normalise_phone_number(raw) == NUMBER


@pytest.mark.rule("ID-01")
@pytest.mark.parametrize(
    "raw",
    [
        "",
        "hello",
        "0791234567",
        "+41",
        "+4179123456",
        "+999123456789",
        "+1 555 0100",
        "+41791234567;ext=5",
        "+" + "4" * 99,
    ],
)
def test_an_invalid_number_is_refused_without_being_quoted(raw: str) -> None:
    with pytest.raises(PhoneInvalid) as refused:
        normalise_phone_number(raw)
    assert refused.value.metadata == {}
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.rule("ID-01")
def test_hashes_distinguish_numbers_and_need_the_key() -> None:
    ours, theirs = KeyedHasher(b"k" * 32), KeyedHasher(b"l" * 32)
    assert ours.phone(NUMBER) == KeyedHasher(b"k" * 32).phone(NUMBER)
    assert ours.phone(NUMBER) != ours.phone("+41791234568")
    assert ours.phone(NUMBER) != theirs.phone(NUMBER)
    with pytest.raises(ValueError, match="32 bytes"):
        KeyedHasher(b"short")


@pytest.mark.rule("ID-02")
def test_a_code_is_hashed_for_its_challenge() -> None:
    hasher, one, other = KeyedHasher(b"k" * 32), uuid4(), uuid4()
    assert hasher.code(one, "012345") == hasher.code(one, "012345")
    assert hasher.code(one, "012345") != hasher.code(other, "012345")


@pytest.mark.rule("ID-02")
def test_codes_have_six_digits_zeros_included() -> None:
    codes = {new_code(6) for _ in range(500)}
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(codes) > 450
    assert {new_code(1) for _ in range(500)} == set("0123456789")


@pytest.mark.rule("ID-09")
def test_a_sealed_value_opens_only_for_its_owner_and_purpose() -> None:
    master, owner = MasterKey(b"m" * 32), uuid4()
    key, wrapped = master.new_key(owner)
    sealed = key.seal("phone", NUMBER)
    assert NUMBER.encode() not in sealed + wrapped
    assert sealed != key.seal("phone", NUMBER)
    assert master.unwrap(owner, wrapped).open("phone", sealed) == NUMBER
    for attempt in (
        lambda: key.open("email", sealed),
        lambda: key.open("phone", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        lambda: key.open("phone", b""),
        lambda: master.new_key(owner)[0].open("phone", sealed),
        lambda: master.unwrap(uuid4(), wrapped),
        lambda: master.unwrap(owner, wrapped[:20]),
        lambda: MasterKey(b"n" * 32).unwrap(owner, wrapped),
    ):
        with pytest.raises(Unsealable):
            attempt()


def test_a_master_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        MasterKey(b"short")
