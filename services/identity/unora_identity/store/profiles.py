"""Profiles and hobbies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from unora_common.database import Session, Tx

from unora_identity.domain.hobbies import Hobby
from unora_identity.domain.profiles import Profile, age_band_changes_at

# A change of age band that is due stays so until it is told: see age_bands.py.
SAVE_PROFILE = """
    UPDATE identity.profiles
    SET name = $2, date_of_birth = $3, gender = $4, city = $5, bio = $6, occupation = $7, time_zone = $8,
        age_band_changes_at = CASE WHEN age_band_changes_at <= $10 THEN age_band_changes_at ELSE $9 END
    WHERE user_id = $1"""
DROP_HOBBIES = "DELETE FROM identity.hobbies WHERE user_id = $1"
SAVE_HOBBIES = """
    INSERT INTO identity.hobbies (user_id, hobby_option_id, micro_description, position)
    SELECT $1, h.option, h.words, h.position
    FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS h (option, words, position)"""
OPTIONS = "SELECT id, name, category FROM identity.hobby_options WHERE deleted_at IS NULL ORDER BY name, id"


@dataclass(frozen=True, slots=True)
class HobbyOption:
    """One hobby there is to choose."""

    id: str
    name: str
    category: str


async def save_profile(tx: Tx, user: UUID, profile: Profile) -> None:
    """The whole profile, in place of what was there (PR-01)."""
    gender = profile.gender.value if profile.gender else None
    told = (profile.city, profile.bio, profile.occupation, profile.time_zone)
    ages = (age_band_changes_at(profile, tx.now), tx.now)
    await tx.run(SAVE_PROFILE, user, profile.name, profile.date_of_birth, gender, *told, *ages)


async def save_hobbies(tx: Tx, user: UUID, hobbies: Sequence[Hobby]) -> None:
    """All hobbies, in their order. Those left out are deleted for good: their words are the member's (PR-05)."""
    await tx.run(DROP_HOBBIES, user)
    await tx.run(
        SAVE_HOBBIES, user, [hobby.option for hobby in hobbies], [hobby.micro_description for hobby in hobbies]
    )


async def options(session: Session) -> list[HobbyOption]:
    """The hobbies there are to choose from, by name."""
    return [HobbyOption(**row) for row in await session.rows(OPTIONS)]
