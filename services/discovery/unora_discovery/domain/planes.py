"""DI-17: the whole pool as planes of bits, so that a search asks all members at once and costs the same for any pool.

The planes may be late or wrong. They only choose who is asked about: Postgres decides, in the transaction of the
refresh.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from unora_discovery.domain import bits
from unora_discovery.domain.bits import WORD, Plane, Slots
from unora_discovery.domain.filters import OLDEST, YOUNGEST, Filters
from unora_discovery.domain.pool import AgeBand, Gender
from unora_discovery.domain.randomness import VISIBILITY_STEPS
from unora_discovery.domain.servers import ServerType

# The facts of a member are one number, whose bit n is their bit in plane n.
SHOWN: Final = 0
"""Discovery-ready, with a free slot, neither restricted nor suspended (DI-09)."""
REDUCED: Final = 1
GENDER: Final = {gender: 2 + number for number, gender in enumerate(Gender)}
AGE_BAND: Final = {band: 5 + number for number, band in enumerate(AgeBand)}
SERVER_BITS: Final = 12
SERVER: Final = {server: 12 + number * SERVER_BITS for number, server in enumerate(ServerType)}
"""The first bit of each server: whether the member is in it. The others say whom the member's filters there reject."""
REJECTS_GENDER: Final = {gender: 1 + number for number, gender in enumerate(Gender)}
REJECTS_AGE_BAND: Final = {band: 4 + number for number, band in enumerate(AgeBand)}
SAME_CITY: Final = 11
FACTS: Final = 12 + len(ServerType) * SERVER_BITS
ROWS_AT_FIRST: Final = 128
SPARE_FRACTION: Final = 8
"""When the planes grow, they get one part in so many more than is needed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the planes keep of some members, as Postgres has it at one moment."""

    slots: Slots
    facts: npt.NDArray[np.uint64]
    """One number for each of the slots."""
    places: Mapping[str, Slots]
    """The slots of those in each place (PR-11); some of `slots`."""
    hobbies: Mapping[str, Slots]
    """The slots of those with each hobby option (DI-07); some of `slots`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeker:
    """The viewer of a search, as the planes need them: who they are, and their filters in the server."""

    slot: int | None
    """None if they are not in the pool."""
    gender: Gender | None
    age_band: AgeBand | None
    place_id: str
    genders: tuple[Gender, ...]
    """Whom they want to see; empty is everyone."""
    age_bands: tuple[AgeBand, ...]
    same_city_only: bool
    min_age: int = YOUNGEST
    """Of the filters from which the bands follow; the planes do not know ages."""
    max_age: int = OLDEST

    @property
    def filters(self) -> Filters:
        """Their filters, as they set them."""
        return Filters(
            genders=self.genders, min_age=self.min_age, max_age=self.max_age, same_city_only=self.same_city_only
        )


@dataclass(slots=True)
class Planes:
    """The planes of one process, one after the other in one array."""

    _array: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros((ROWS_AT_FIRST, 1), np.uint64))
    _rows: int = FACTS
    """How many rows are in use: the facts first, then hobbies and digits of places as they come."""
    _hobbies: dict[str, int] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)
    """The number of each place, from 1; its binary digits are planes. 0 is no place."""
    _place_digits: list[int] = field(default_factory=list)

    @property
    def nbytes(self) -> int:
        """The memory that they take."""
        return self._array.nbytes

    def apply(self, facts: Facts) -> None:
        """Puts these facts in the place of what was known of their members."""
        if not len(facts.slots):
            return
        self._make_room(self._rows, int(facts.slots.max()) // WORD + 1)
        self._forget(facts.slots)
        for number in range(FACTS):
            here = facts.slots[(facts.facts >> np.uint64(number) & np.uint64(1)).astype(bool)]
            if len(here):
                bits.mark(self._array[number], here)
        for hobby, slots in facts.hobbies.items():
            row = self._row_of_hobby(hobby)  # this may make a new array
            bits.mark(self._array[row], slots)
        for place, slots in facts.places.items():
            number = self._places.setdefault(place, len(self._places) + 1)
            for digit in range(number.bit_length()):
                if number >> digit & 1:
                    row = self._row_of_digit(digit)
                    bits.mark(self._array[row], slots)

    def eligible(self, seeker: Seeker, server: ServerType) -> Plane:
        """Those who may be shown to the seeker, whose filters let the other pass on both sides (DI-09, DI-12)."""
        array, first = self._array, SERVER[server]
        found: Plane = array[SHOWN] & array[first]
        if seeker.genders:
            found &= np.bitwise_or.reduce(array[[GENDER[each] for each in seeker.genders]])
        if seeker.age_bands:
            found &= np.bitwise_or.reduce(array[[AGE_BAND[each] for each in seeker.age_bands]])
        if seeker.gender:
            found &= ~array[first + REJECTS_GENDER[seeker.gender]]
        if seeker.age_band:
            found &= ~array[first + REJECTS_AGE_BAND[seeker.age_band]]
        near = bits.equal(self._digits(array), self._places.get(seeker.place_id, 0), found) if seeker.place_id else None
        if near is None or seeker.place_id not in self._places:
            near = np.zeros_like(found)
        found = near if seeker.same_city_only else found & (near | ~array[first + SAME_CITY])
        if seeker.slot is not None:
            bits.clear(found, np.array([seeker.slot], np.int64))
        return found

    def leave_out_reduced(self, found: Plane, seed: int, below: int) -> None:
        """DI-10: clears those of reduced visibility whose draw is not below `below`."""
        reduced = bits.slots_of(found & self._array[REDUCED][: len(found)])
        if len(reduced) and below < VISIBILITY_STEPS:
            bits.clear(found, reduced[bits.hashed(reduced, seed) >= np.uint32(below)])

    def shared(self, hobbies: Collection[str], within: Plane) -> list[Plane]:
        """DI-07: with how many of these hobbies each member is, as binary digits of the members of `within`."""
        rows = [self._hobbies[hobby] for hobby in dict.fromkeys(hobbies) if hobby in self._hobbies]
        return bits.add([self._array[row][: len(within)] for row in rows])

    def _digits(self, array: npt.NDArray[np.uint64]) -> list[Plane]:
        return [array[row] for row in self._place_digits]

    def _forget(self, slots: Slots) -> None:
        touched, where = np.unique(slots >> 3, return_inverse=True)
        gone = np.zeros(len(touched), np.uint8)
        np.bitwise_or.at(gone, where, np.left_shift(np.uint8(1), (slots & 7).astype(np.uint8)))
        self._array.view(np.uint8)[: self._rows, touched] &= ~gone

    def _row_of_hobby(self, hobby: str) -> int:
        if hobby not in self._hobbies:
            self._hobbies[hobby] = self._new_row()
        return self._hobbies[hobby]

    def _row_of_digit(self, digit: int) -> int:
        while digit >= len(self._place_digits):
            self._place_digits.append(self._new_row())
        return self._place_digits[digit]

    def _new_row(self) -> int:
        self._make_room(self._rows + 1, self._array.shape[1])
        self._rows += 1
        return self._rows - 1

    def _make_room(self, rows: int, words: int) -> None:
        """A search that began before goes on with the array of then."""
        had_rows, had_words = self._array.shape
        if rows <= had_rows and words <= had_words:
            return
        rows = had_rows if rows <= had_rows else rows + rows // SPARE_FRACTION
        words = had_words if words <= had_words else words + words // SPARE_FRACTION + 1
        array = np.zeros((rows, words), np.uint64)
        array[: self._rows, :had_words] = self._array[: self._rows]
        self._array = array


@dataclass(slots=True)
class Hunt:
    """One search in the planes: who is left, and by which order (DI-07, DI-13)."""

    left: Plane
    digits: list[Plane]
    random: np.random.Generator

    def best(self, wanted: int) -> Slots:
        """At most `wanted` of those who are left: who shares the most hobbies first, equals in random order."""
        found: list[Slots] = []
        for level in bits.by_number(self.digits, self.left):
            drawn = bits.draw(level, wanted, self.random)
            found.append(drawn)
            wanted -= len(drawn)
            if wanted <= 0:
                break
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def anyone(self, wanted: int) -> Slots:
        """At most `wanted` of those who are left, without regard to hobbies; each selection is equally likely."""
        return bits.draw(self.left, wanted, self.random)

    def among(self, slots: Slots, wanted: int) -> Slots:
        """At most `wanted` of these slots that are left; each selection is equally likely."""
        found = slots[bits.contains(self.left, slots)]
        return self.random.permutation(found)[:wanted]

    def leave_out(self, slots: Slots) -> None:
        """These are not wanted any more."""
        bits.clear(self.left, slots)

    def is_over(self, asked: int) -> bool:
        """Whether at most `asked` are left."""
        return bits.count(self.left) <= asked
