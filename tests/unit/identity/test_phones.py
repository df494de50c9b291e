"""ID-01, ID-02, ID-09, ID-11: phone numbers, codes, and how they are stored."""

from uuid import uuid4

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType
from unora_identity.domain.phone_numbers import PhoneInvalid, PhoneNumber, read_phone_number
from unora_identity.domain.policy import Policy
from unora_identity.providers.keyed_hasher import KeyedHasher
from unora_identity.providers.master_key import MasterKey, Unsealable
from unora_identity.providers.random_secrets import new_code

POLICY = Policy()
NUMBER = "+41791234567"
KINDS = {kind: name for name, kind in vars(PhoneNumberType).items() if isinstance(kind, int)}
GET_TEXTS = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def read(raw: str, policy: Policy = POLICY) -> PhoneNumber:
    return read_phone_number(raw, policy)


def examples() -> list[tuple[str, str, bool]]:
    """A number of each kind in each region that phonenumbers knows, and whether it is said to get texts."""
    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in KINDS:
            number = phonenumbers.example_number_for_type(region, kind)
            if number is None:
                continue
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            of_kind = phonenumbers.number_type(number)
            found.append((region, KINDS[of_kind], e164, of_kind in GET_TEXTS))
    return [(f"{region} {kind}", e164, texts) for region, kind, e164, texts in found]


@pytest.mark.rule("ID-01")
@pytest.mark.parametrize(
    "raw", [NUMBER, " +41 79 123 45 67 ", "+41-79-123-45-67", "+41 (0)79 123 45 67", "\uff0b41791234567"]
)
def test_one_number_has_one_form(raw: str) -> None:
    number = read(raw)
    assert (number.e164, number.forms, number.calling_code, number.gets_texts) == (NUMBER, (NUMBER,), 41, True)


@pytest.mark.rule("ID-01")
@pytest.mark.parametrize("raw", ["+٤١٧٩١٢٣٤٥٦٧", "+41７９１２３４５６７", "+४१७९१२३४५६७"])
def test_a_number_may_be_typed_in_any_digits(raw: str) -> None:
    assert read(raw).e164 == NUMBER


@pytest.mark.rule("ID-01")
@pytest.mark.parametrize(
    ("own", "others"),
    [
        ("+5491123456789", ["+541123456789", "+54 11 15-2345-6789", "+54 9 11 2345-6789"]),
        ("+525512345678", ["+5215512345678", "+52 1 55 1234 5678"]),
        ("+970592123456", ["+972592123456", "+970 59 212 3456"]),
        ("+24105954959", ["+2415954959"]),
    ],
)
def test_one_subscriber_has_one_form_and_all_forms_are_known(own: str, others: list[str]) -> None:
    forms = set(read(own).forms)
    assert len(forms) == 2
    for other in others:
        number = read(other)
        assert (number.e164, set(number.forms), number.gets_texts) == (own, forms, True)
    assert read(own).forms[0] == own
    assert read(others[0]).forms[0] == others[0], "an account that was made with the form that was given comes first"


@pytest.mark.rule("ID-11")
@pytest.mark.parametrize(
    "number",
    [
        *("+19005551234", "+449098791234", "+979123456789", "+88812345678901", "+80012345678"),
        *("+80812345678", "+870773111632", "+878101234567890", "+881612345678", "+8823421234", "+883510012345"),
        *("+390612345678", "+442079460018", "+447012345678", "+447640123456", "+41860123456789", "+33912345678"),
    ],
)
def test_a_number_where_a_text_costs_more_gets_none(number: str) -> None:
    assert not read(number).gets_texts


@pytest.mark.rule("ID-11")
def test_of_each_region_only_the_kinds_that_get_texts_get_them() -> None:
    wrong, kinds = [], set()
    for kind, e164, texts in examples():
        if kind in ("AR FIXED_LINE", "KP FIXED_LINE_OR_MOBILE"):
            continue  # Argentina: the same subscriber as with a 9. North Korea: numbers that nobody abroad can reach.
        kinds.add(kind.split()[1])
        if read(e164).gets_texts is not texts:
            wrong.append((kind, e164))
    assert not wrong
    assert kinds >= {"PREMIUM_RATE", "SHARED_COST", "TOLL_FREE", "PAGER", "VOICEMAIL", "UAN", "PERSONAL_NUMBER", "VOIP"}
    assert kinds >= {"FIXED_LINE", "MOBILE", "FIXED_LINE_OR_MOBILE"}


@pytest.mark.rule("ID-11")
def test_a_number_that_nobody_abroad_can_reach_gets_no_text() -> None:
    number = phonenumbers.example_number_for_type("KP", PhoneNumberType.FIXED_LINE)
    assert number is not None
    assert not read(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)).gets_texts


@pytest.mark.rule("ID-11")
@pytest.mark.parametrize("code", phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS)
def test_no_number_outside_of_countries_gets_texts(code: int) -> None:
    number = phonenumbers.example_number_for_non_geo_entity(code)
    assert number is not None
    assert not read(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)).gets_texts


@pytest.mark.rule("ID-11")
def test_the_operator_may_allow_and_refuse_beginnings_of_numbers() -> None:
    policy = Policy(phone_prefixes_allowed=("+39", "+417912"), phone_prefixes_refused=("+3906", "+4179"))
    assert read("+390212345678", policy).gets_texts, "a landline whose prefix is allowed"
    assert read(NUMBER, policy).gets_texts, "the longer prefix counts"
    for refused in ("+390612345678", "+41793334455"):
        with pytest.raises(PhoneInvalid):
            read(refused, policy)


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
        read(raw)
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
