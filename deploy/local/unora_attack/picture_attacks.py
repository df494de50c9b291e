"""Attacks with pictures, one row for each kind of file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from unora_attack.figures import Kind
from unora_attack.gallery import Picture
from unora_attack.orders import Orders, Tally
from unora_attack.row import Attack, Played
from unora_attack.scene import Scene

SECONDS: Final = 3.0
MEMBERS_REFUSED: Final = 3
"""Who attack one after the other with a file that is no photo: each may offer only so many uploads an hour (PR-07)."""
FLOOD_SECONDS: Final = 6.0
REFUSED_WITHIN_MS: Final = 1000.0
"""A file that is no photo must be refused in well under a second. Half of all refusals were quicker."""
SLOW: Final = "a JPEG of 400 repeated scans"
FAULTY: Final = ("INVALID_ARGUMENT PHOTO_UNREADABLE", "INVALID_ARGUMENT PHOTO_TOO_LARGE")
BUSY: Final = ("RESOURCE_EXHAUSTED PHOTO_WORK_BUSY",)
REPEATED: Final = ("NOT_FOUND PHOTO_NOT_FOUND", "RESOURCE_EXHAUSTED")
"""What else a flood of completions may get: the upload is over, or the member has too many calls."""


async def refused(scene: Scene, title: str) -> Played:
    """One member at a time uploads a file that is no photo, again and again."""
    tally = await scene.attack(_upload(scene, scene.gallery.find(title)))
    return Played(tally, faults=_faults_of_refused(tally, (*FAULTY, *BUSY)))


async def accepted(scene: Scene, title: str) -> Played:
    """One member uploads one of the costliest photos that are taken, again and again."""
    tally = await scene.attack(_upload(scene, scene.gallery.find(title)))
    return Played(tally, f"taken in {tally.answered_p50_ms:.0f} ms (median)", _unless_taken(tally))


async def all_at_once(scene: Scene) -> Played:
    """The costliest photo of each format, at the same time."""
    worst = [each for each in scene.gallery.pictures if each.accepted]
    tally = await scene.attack(*(_upload(scene, each, SECONDS * 2) for each in worst))
    return Played(tally, faults=_unless_taken(tally))


async def completions_at_once(scene: Scene, title: str) -> Played:
    """One member completes one upload with hundreds of calls at once."""
    picture = scene.gallery.find(title)
    orders = Orders(
        attack="completions",
        target=scene.target,
        seconds=FLOOD_SECONDS,
        tokens=scene.take_attackers(1),
        file=picture.file,
        content_type=picture.content_type,
    )
    tally = await scene.attack(orders)
    expected = ("OK", *FAULTY, *REPEATED, "FAILED_PRECONDITION")
    hints = (f"{tally.hints_missing} refusals without a hint",) if tally.hints_missing else ()
    return Played(tally, faults=(*_other_than(tally, expected), *hints))


def _upload(scene: Scene, picture: Picture, seconds: float = SECONDS) -> Orders:
    return Orders(
        attack="hostile picture",
        target=scene.target,
        seconds=seconds,
        tokens=scene.take_attackers(1 if picture.accepted else MEMBERS_REFUSED),
        file=picture.file,
        content_type=picture.content_type,
    )


def _faults_of_refused(tally: Tally, expected: tuple[str, ...]) -> tuple[str, ...]:
    slow = tally.refused_p50_ms > REFUSED_WITHIN_MS
    return (*_other_than(tally, expected), *(("refused too slowly",) if slow else ()))


def _unless_taken(tally: Tally) -> tuple[str, ...]:
    return (*_other_than(tally, ("OK", *BUSY)), *(() if tally.outcomes.get("OK") else ("never taken",)))


def _other_than(tally: Tally, expected: tuple[str, ...]) -> tuple[str, ...]:
    """What came that must not come."""
    found = {outcome: number for outcome, number in tally.outcomes.items() if not outcome.startswith(expected)}
    return tuple(f"{number} {outcome}" for outcome, number in found.items())


def _attack(
    name: str,
    title: str,
    play: Callable[[Scene], Awaitable[Played]],
    all_answered: frozenset[Kind] = frozenset(Kind),
) -> Attack:
    return Attack(name=name, title=title, process="identity", play=play, all_answered=all_answered, pictures=True)


REFUSED: Final = {
    "jpeg-scans": SLOW,
    "jpeg-segments": "a JPEG of 2.6 million segments",
    "jpeg-pixels": "a JPEG of too many pixels",
    "jpeg-memory": "a JPEG that needs too much memory",
    "apng": "an APNG of two frames",
    "apng-large": "an APNG of two frames of 50 megapixels",
    "png-pixels": "a PNG of too many pixels",
    "png-chunks": "a PNG of 800,000 chunks",
    "webp-frames": "a WebP of two frames",
    "heic-tiles": "a HEIC of 1,900 tiles",
    "heic-shared-tiles": "a HEIC of shared tiles",
    "heic-lying-tiles": "a HEIC of lying tiles",
    "heic-grids": "a HEIC of grids of grids",
    "heic-overlay": "a HEIC of an overlay",
    "heic-film": "a HEIC that is a film",
}
"""By the name for the command line: what unora_testing.photos.hostile calls it."""
ACCEPTED: Final = {"jpeg-worst": "JPEG", "png-worst": "PNG", "webp-worst": "WebP", "heic-worst": "HEIC"}
PICTURE_ATTACKS: Final = (
    _attack(
        "completions",
        "one member completes one upload of a slow JPEG, 510 calls at once",
        partial(completions_at_once, title=SLOW),
    ),
    _attack(
        "completions-worst",
        "the same with the costliest JPEG that is taken",
        partial(completions_at_once, title="JPEG"),
    ),
    *(_attack(name, title, partial(refused, title=title)) for name, title in REFUSED.items()),
    *(
        _attack(name, f"the costliest {title} that is taken", partial(accepted, title=title))
        for name, title in ACCEPTED.items()
    ),
    _attack(
        "worst-at-once",
        "four members, the costliest of all formats at once",
        all_at_once,
        # Four members may fill the queue for photos, but nothing else.
        frozenset({Kind.MEMBER, Kind.CONTEXT}),
    ),
)
