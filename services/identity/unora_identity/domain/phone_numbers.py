"""ID-01, ID-11: phone numbers in one form, and which of them get texts at normal cost."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from unora_common.errors import InvalidArgument

from unora_identity.domain.policy import Policy

if TYPE_CHECKING:  # an image that only migrates identity's schema lacks it, so each function imports it
    from phonenumbers import PhoneNumber as Parsed

_LONGEST_INPUT: Final = 32
"""Longer than any real number with its punctuation; longer input is not parsed."""
_OF_NO_COUNTRY: Final = frozenset({800, 808, 870, 878, 881, 882, 883, 888, 979})
"""Calling codes of services and satellites. A text there costs several times the price, whatever the kind: phonenumbers
calls some of them mobile.
"""
_ONE_SUBSCRIBER: Final = (
    # Argentina: from abroad a mobile is dialled with a 9 after the country code, and many people leave it out.
    ("54", r"[1-8]\d{9}", "549"),
    # Mexico: until 2019 a mobile was dialled with a 1 after the country code.
    ("521", r"\d{10}", "52"),
    # Palestine: its mobiles are reached by Israel's code too.
    ("972", r"5[69]\d{7}", "970"),
    # Gabon: until 2019 the leading 0 could be left out.
    ("241", r"[2-7]\d{6}", "2410"),
)
"""Numbers that are written in two ways which phonenumbers keeps apart: the prefix of the other form, what follows in
both, and the prefix of the form that texts go to.
"""


class PhoneInvalid(InvalidArgument):
    """ID-01, ID-11: the number is not one that its country assigns, lacks the country code, or gets no texts at normal
    cost. In the last case the metadata have a `challenge_id`: an account that such a number has from before is sent a
    code for it. It is there for every such number, so it does not tell whether there is an account.
    """

    reason = "PHONE_INVALID"
    sentence = "This is not a phone number that can get our codes."

    def __init__(self, challenge_id: UUID | None = None) -> None:
        metadata = {} if challenge_id is None else {"challenge_id": challenge_id}
        super().__init__({"phone_number": "is not a number in international form that gets texts"}, **metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """A number that its country assigns."""

    e164: str
    """The one form of the subscriber, such as "+41791234567": codes go to it, and a new account is found by it."""
    forms: tuple[str, ...]
    """All forms of the subscriber, the one that was given first: an account from before may be found by any."""
    calling_code: int
    """Of the country, such as 41. Some countries share one."""
    gets_texts: bool
    """Whether texts go there at normal cost, so that it may open an account (ID-11)."""


def read_phone_number(raw: str, policy: Policy) -> PhoneNumber:
    """ID-01: the number that was meant. The country code must be given: a guess could tie the number to the wrong
    person. Raises PhoneInvalid for what is no number, and for a prefix that the operator has refused. Whether a number
    must get texts is for the caller to judge, who knows of the account (ID-11).
    """
    import phonenumbers

    given = _parse(raw)
    forms = _forms_of(_e164(given))
    best = phonenumbers.parse(forms[0])
    if not phonenumbers.is_valid_number(best):  # the form for mobiles of what can only be a landline
        best = given
    # E.164 has no extensions: a number with one would collide with the same number without it.
    if given.extension or not phonenumbers.is_valid_number(best):
        raise PhoneInvalid
    typed, e164 = _e164(given), _e164(best)
    allowed, refused = (_longest(e164, of) for of in (policy.phone_prefixes_allowed, policy.phone_prefixes_refused))
    if refused > allowed:
        raise PhoneInvalid
    return PhoneNumber(
        e164=e164,
        forms=(typed, *(form for form in forms if form != typed)),
        calling_code=best.country_code or 0,
        gets_texts=allowed > 0 or _gets_texts(best),
    )


def _parse(raw: str) -> Parsed:
    import phonenumbers

    if len(raw) > _LONGEST_INPUT:
        raise PhoneInvalid
    try:
        return phonenumbers.parse(raw, None)
    except phonenumbers.NumberParseException:
        raise PhoneInvalid from None  # the parser's message quotes the number


def _e164(number: Parsed) -> str:
    from phonenumbers import PhoneNumberFormat, format_number

    return format_number(number, PhoneNumberFormat.E164)


def _forms_of(e164: str) -> tuple[str, ...]:
    """The forms in which the number is written, the one that texts go to first."""
    for other, rest, own in _ONE_SUBSCRIBER:
        found = re.fullmatch(rf"\+(?:{own}|{other})({rest})", e164)
        if found:
            return f"+{own}{found[1]}", f"+{other}{found[1]}"
    return (e164,)


def _longest(e164: str, prefixes: tuple[str, ...]) -> int:
    """The length of the longest of the prefixes that the number has; 0 if it has none."""
    return max((len(prefix) for prefix in prefixes if e164.startswith(prefix)), default=0)


def _gets_texts(number: Parsed) -> bool:
    """ID-11: as far as phonenumbers knows. Numbers for VOIP get texts in few countries, and cost nothing to get by the
    hundred, so they do not count.
    """
    from phonenumbers import PhoneNumberType, can_be_internationally_dialled, number_type

    return (
        number.country_code not in _OF_NO_COUNTRY
        and number_type(number) in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
        and can_be_internationally_dialled(number)
    )
