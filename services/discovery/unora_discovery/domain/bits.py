"""Sets of slots as planes of bits: counting, adding and drawing, on all members at once. Pure; numpy does no I/O.

A plane is an array of words of 64 bits; the bit of slot n is bit n % 64 of word n // 64.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Plane: TypeAlias = npt.NDArray[np.uint64]
Slots: TypeAlias = npt.NDArray[np.int64]
WORD: Final = 64
LOW_32: Final = (1 << 32) - 1
GOLDEN: Final = 0x9E3779B9
"""As Postgres' hash functions begin."""


def count(plane: Plane) -> int:
    """How many bits are set."""
    return int(np.bitwise_count(plane).sum(dtype=np.int64))


def slots_of(plane: Plane) -> Slots:
    """All slots whose bit is set, ascending."""
    return np.flatnonzero(np.unpackbits(plane.view(np.uint8), bitorder="little"))


def clear(plane: Plane, slots: Slots) -> None:
    """Clears the bits of these slots; those beyond the plane have none."""
    here = slots[slots < len(plane) * WORD]
    bytes_ = plane.view(np.uint8)
    np.bitwise_and.at(bytes_, here >> 3, ~_bits_in_bytes(here))


def mark(plane: Plane, slots: Slots) -> None:
    """Sets the bits of these slots, which must be within the plane."""
    np.bitwise_or.at(plane.view(np.uint8), slots >> 3, _bits_in_bytes(slots))


def contains(plane: Plane, slots: Slots) -> npt.NDArray[np.bool_]:
    """Of each slot, whether its bit is set."""
    found: npt.NDArray[np.bool_] = slots < len(plane) * WORD
    here = slots[found]
    found[found] = (plane.view(np.uint8)[here >> 3] & _bits_in_bytes(here)) != 0
    return found


def draw(plane: Plane, wanted: int, random: np.random.Generator) -> Slots:
    """At most `wanted` of the slots whose bit is set, in random order; each selection is equally likely."""
    counts = np.bitwise_count(plane)
    ends = np.cumsum(counts, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    ranks = random.choice(total, size=min(wanted, total), replace=False) if total else np.zeros(0, np.int64)
    words = np.searchsorted(ends, ranks, side="right")
    within = ranks - (ends[words] - counts[words])
    bits = np.unpackbits(plane[words].view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
    place = np.argmax(np.cumsum(bits, axis=1, dtype=np.int16) == within[:, None] + 1, axis=1)
    return np.asarray(words * WORD + place, dtype=np.int64)


def add(planes: Sequence[Plane]) -> list[Plane]:
    """Of how many of these planes each bit is set, as binary digits, the lowest first: full adders on whole planes."""
    digits: list[Plane] = []
    column = list(planes)
    while column:
        carries: list[Plane] = []
        while len(column) > 1:
            if len(column) == 2:
                a, b = column
                column = [a ^ b]
                carries.append(a & b)
            else:
                a, b, c = (column.pop() for _ in range(3))
                half = a ^ b
                column.append(half ^ c)
                carries.append((a & b) | (half & c))
        digits.append(column[0])
        column = carries
    return digits


def equal(digits: Sequence[Plane], number: int, within: Plane) -> Plane:
    """Of the bits of `within`, those whose binary digits are this number. Digits that are absent are zero."""
    if number >> len(digits):
        return np.zeros_like(within)
    found = within.copy()
    for place, digit in enumerate(digits):
        found &= digit if number >> place & 1 else ~digit
    return found


def by_number(digits: Sequence[Plane], within: Plane) -> Iterator[Plane]:
    """The bits of `within` in groups of the same number, the highest number first; groups without bits are left out."""
    if not within.any():
        return
    if not digits:
        yield within
        return
    *lower, highest = digits
    yield from by_number(lower, within & highest)
    yield from by_number(lower, within & ~highest)


def hashed(slots: Slots, seed: int) -> npt.NDArray[np.uint32]:
    """The lower half of what Postgres' `hashint4extended(slot, seed)` gives, so that both draw the same (DI-10)."""
    a = b = c = (GOLDEN + 4 + 3923095) & LOW_32
    if seed:
        a, b = (a + (seed >> 32)) & LOW_32, (b + seed) & LOW_32
        a, b, c = _mixed(a, b, c)
    return _finished((slots.astype(np.uint32) + np.uint32(a)), b, c)


def _mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    """Each of the three numbers of 32 bits comes to depend on the others, in six steps."""
    for turn in (4, 6, 8, 16, 19, 4):
        a = ((a - c) & LOW_32) ^ _turned(c, turn)
        c = (c + b) & LOW_32
        a, b, c = b, c, a
    return a, b, c


def _finished(a: npt.NDArray[np.uint32], second: int, third: int) -> npt.NDArray[np.uint32]:
    b = np.full_like(a, second)
    c = np.full_like(a, third)
    for turn in (14, 11, 25, 16, 4, 14, 24):
        c = (c ^ b) - ((b << np.uint32(turn)) | (b >> np.uint32(32 - turn)))
        a, b, c = b, c, a
    # After seven steps the last that was written stands in the second place.
    return b


def _turned(number: int, by: int) -> int:
    return (number << by | number >> (32 - by)) & LOW_32


def _bits_in_bytes(slots: Slots) -> npt.NDArray[np.uint8]:
    return np.left_shift(np.uint8(1), (slots & 7).astype(np.uint8))
