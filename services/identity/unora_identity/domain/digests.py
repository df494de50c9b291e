"""RE-06: a name that can be recognised in a text by who must not know it."""

import hashlib
import re
import unicodedata

_WORDS = re.compile(r"\w+")


def name_digests(name: str, salt: bytes) -> list[bytes]:
    """SHA-256 of the salt and each word, case-folded; sorted, so that their order says nothing.

    A word is what stands between spaces, and also each part of it: "Anna-Lena" is found as a whole and as "Lena".
    """
    folded = unicodedata.normalize("NFC", name).casefold()
    words = {word for part in folded.split() for word in (part, *_WORDS.findall(part))}
    return sorted(hashlib.sha256(salt + word.encode()).digest() for word in words)
