"""RE-06: a name that can be recognised in a text by who must not know it."""

import hashlib
import re
import unicodedata

_WORDS = re.compile(r"\w+")


def name_digests(name: str, salt: bytes) -> list[bytes]:
    """SHA-256 of the salt and each word, case-folded, with its accents and without; sorted, so that their order says
    nothing.

    A word is what stands between spaces, and also each part of it: "Anna-Lena" is found as a whole and as "Lena".
    """
    forms = (unicodedata.normalize("NFC", name).casefold(), _plain(name))
    words = {word for form in forms for part in form.split() for word in (part, *_WORDS.findall(part))}
    return sorted(hashlib.sha256(salt + word.encode()).digest() for word in words)


def _plain(text: str) -> str:
    """As most people type it: "Zoë" is "zoe". Letters that are no accented ones, like "ø", stay what they are."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(char))
