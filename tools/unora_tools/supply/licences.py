"""Which licences the parts of others may have, and which licence each part has."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from license_expression import get_spdx_licensing

from unora_tools.supply.parts import Part

ALLOWED: Final = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "CNRI-Python",
        "FTL",
        "HPND",
        "IJG",
        "ISC",
        "libpng-2.0",
        "libtiff",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "MIT-Modern-Variant",
        "MPL-2.0",
        "OpenSSL",
        "PSF-2.0",
        "Zlib",
    }
)
"""SPDX ids that go with Apache-2.0. MPL-2.0 asks for the source of its own files only, which we do not change."""
ALLOWED_BUNDLED: Final = ALLOWED | {"LGPL-2.1-or-later", "LGPL-3.0-or-later", "GPL-3.0-or-later WITH GCC-exception-3.1"}
"""A shared library beside a wheel may be under the LGPL, since anyone can put another build in its place; and GCC's
run-time libraries may be linked by anything.
"""
CORRECTED: Final = {
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
}
"""Names that are no SPDX expressions."""
BY_NAME: Final = {
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",  # it says "Dual License"; both texts are in it
    "uvloop": "MIT OR Apache-2.0",
}
"""Packages whose own words are not clear enough; the licence is the one of the texts that they carry."""


class LicenceError(ValueError):
    """A part has no licence that is understood, or one that does not go with Apache-2.0."""


def licence_of(part: Part) -> str:
    """The licence of a package as an SPDX expression. Raises LicenceError if it may not be in an image."""
    expression = BY_NAME.get(part.name) or CORRECTED.get(part.expression, part.expression)
    require_allowed(part.name, expression)
    return expression


def require_allowed(name: str, expression: str, allowed: frozenset[str] = ALLOWED) -> None:
    """Raises LicenceError unless all licences that a part is under, and one of those to choose from, are allowed."""
    try:
        parsed = _spdx().parse(expression, validate=True, strict=True)
    except Exception:  # the parser has several kinds, and each means the same here
        parsed = None
    if parsed is None:
        raise LicenceError(
            f"{name} says {expression!r} of its licence, which is no SPDX expression: read its text, and name its "
            "licence in BY_NAME of tools/unora_tools/supply/licences.py"
        )
    if not _fits(parsed, allowed):
        raise LicenceError(
            f"{name} is under {expression}, which is not among the licences that go with Apache-2.0 "
            "(ALLOWED of tools/unora_tools/supply/licences.py): take another package"
        )


@cache
def _spdx() -> Any:
    """The parser; it takes a quarter of a second to make."""
    return get_spdx_licensing()


def _fits(parsed: object, allowed: frozenset[str]) -> bool:
    """Whether a parsed expression is allowed."""
    if str(parsed) in allowed:
        return True
    operator = getattr(parsed, "operator", "").strip()
    fits = [_fits(each, allowed) for each in getattr(parsed, "args", ())]
    return bool(fits) and (any(fits) if operator == "OR" else operator == "AND" and all(fits))
