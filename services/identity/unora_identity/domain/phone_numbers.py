"""ID-01: phone numbers in one form."""

from typing import Final

import phonenumbers
from unora_common.errors import InvalidArgument

_LONGEST_INPUT: Final = 32
"""Longer than any real number with its punctuation; longer input is not parsed."""


class PhoneInvalid(InvalidArgument):
    """ID-01: the number is not one that its country assigns, or it lacks the country code."""

    reason = "PHONE_INVALID"

    def __init__(self) -> None:
        super().__init__({"phone_number": "is not a number in international form"})


def normalise_phone_number(raw: str) -> str:
    """ID-01: the number as E.164, such as "+41791234567". The country code must be given: a guess could tie the number
    to the wrong person. Raises PhoneInvalid.
    """
    if len(raw) > _LONGEST_INPUT:
        raise PhoneInvalid
    try:
        number = phonenumbers.parse(raw, None)
    except phonenumbers.NumberParseException:
        raise PhoneInvalid from None  # the parser's message quotes the number
    # E.164 has no extensions: a number with one would collide with the same number without it.
    if number.extension or not phonenumbers.is_valid_number(number):
        raise PhoneInvalid
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
