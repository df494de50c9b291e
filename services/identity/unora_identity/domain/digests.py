"""RE-06: digests by which a context that must not know a name can recognise it in a text."""

import hashlib
import re
import unicodedata

_WORDS = re.compile(r"\w+")


def name_digests(name: str, salt: bytes) -> list[bytes]:
    """SHA-256 of the salt and each word of the name, case-folded, with its accents and without. The digests are sorted,
    so that their order reveals nothing.

    A word is the text between spaces, and also each part of it: "Anna-Lena" is found as a whole and as "Lena".
    """
    forms = (unicodedata.normalize("NFC", name).casefold(), _without_accents(name))
    words = {word for form in forms for part in form.split() for word in (part, *_WORDS.findall(part))}
    return sorted(hashlib.sha256(salt + word.encode()).digest() for word in words)


def _without_accents(text: str) -> str:
    """As most people type it: "Zoë" becomes "zoe". Letters without a plain form, such as "ø", stay."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(char))
