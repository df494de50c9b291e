"""Profiles and hobbies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.rows import Columns, from_row

from unora_identity.domain.hobbies import Hobby, HobbyOption
from unora_identity.domain.profiles import Profile, age_band_changes_at

PROFILE_COLUMNS = Columns(
    "name", "date_of_birth", "gender", "city", "place_id", "country", "bio", "occupation", "time_zone"
)

# A change of age band that is due stays due until its event is published: see age_bands.py.
SAVE_PROFILE = f"""
    UPDATE identity.profiles
    SET age_band_changes_at = CASE WHEN age_band_changes_at <= $3 THEN age_band_changes_at ELSE $2 END,
        {PROFILE_COLUMNS.assignments(first=4)}
    WHERE user_id = $1"""
DELETE_HOBBIES = "DELETE FROM identity.hobbies WHERE user_id = $1"
ADD_HOBBIES = """
    INSERT INTO identity.hobbies (user_id, hobby_option_id, micro_description, position)
    SELECT $1, h.option, h.words, h.position
    FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS h (option, words, position)"""
SAVE_HIDDEN = """
    UPDATE identity.hobbies h SET hidden = new.hidden
    FROM unnest($1::uuid[], $2::text[], $3::boolean[]) AS new (user_id, option, hidden)
    WHERE h.user_id = new.user_id AND h.hobby_option_id = new.option AND h.hidden <> new.hidden"""
REFUSE_BIRTH_DATE = """
    UPDATE identity.profiles
    SET birth_date_refused_at = $2, date_of_birth = CASE WHEN $3 THEN date_of_birth END,
        age_band_changes_at = CASE WHEN $3 THEN age_band_changes_at END
    WHERE user_id = $1"""
OPTIONS = "SELECT id, name, category FROM identity.hobby_options WHERE deleted_at IS NULL ORDER BY name, id"


async def save_profile(tx: Tx, user: UUID, profile: Profile) -> None:
    """Stores the whole profile in place of the old one (PR-01)."""
    values = PROFILE_COLUMNS.values_of(profile)
    await tx.run(SAVE_PROFILE, user, age_band_changes_at(profile, tx.now), tx.now, *values)


async def save_hobbies(tx: Tx, user: UUID, hobbies: Sequence[Hobby]) -> None:
    """Stores all hobbies in their order. Hobbies that are left out are deleted for good: their words are the member's
    (PR-05).
    """
    await tx.run(DELETE_HOBBIES, user)
    await tx.run(ADD_HOBBIES, user, [hobby.option for hobby in hobbies], [hobby.micro_description for hobby in hobbies])


async def save_hidden(tx: Tx, hobbies: Mapping[UUID, Sequence[Hobby]]) -> None:
    """Stores which words of these members' hobbies are hidden (PR-10)."""
    each = [(user, hobby.option, hobby.hidden) for user, chosen in hobbies.items() for hobby in chosen]
    if each:
        await tx.run(SAVE_HIDDEN, *map(list, zip(*each, strict=True)))


async def refuse_birth_date(tx: Tx, user: UUID, *, keep: bool) -> None:
    """Stores that a date of birth was refused for the age, and when (ID-08). Removes the stored one unless `keep`."""
    await tx.run(REFUSE_BIRTH_DATE, user, tx.now, keep)


async def list_options(session: Session) -> list[HobbyOption]:
    """The hobbies that members choose from, by name."""
    return [from_row(HobbyOption, row) for row in await session.rows(OPTIONS)]
