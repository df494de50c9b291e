"""A member's account is erased thirty days after it was closed, and nothing of it is found (ID-09)."""

from __future__ import annotations

import secrets
import string
from datetime import timedelta
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask
from unora.identity.v1.profile_service_pb2 import (
    Hobby,
    ListPhotosRequest,
    Profile,
    SetHobbiesRequest,
    UpdateProfileRequest,
)
from unora_common.config import CONTEXTS
from unora_local import objects
from unora_local.client import Unexpected, request_id

from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

KEPT_FOR: Final = timedelta(days=30, minutes=1)
TABLES: Final = """
    SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = ANY ($1) ORDER BY 1"""


async def leaves_marks(stage: Stage, note: Note) -> None:
    """A member who is about to leave writes words that nobody else ever wrote."""
    member, gateway = _leaving(stage), stage.gateway
    stage.marks += [_mark() for _ in range(2)]
    profile = UpdateProfileRequest(
        request_id=request_id(), profile=Profile(bio=f"{stage.marks[0]} of all."), update_mask=FieldMask(paths=["bio"])
    )
    await member.session.call(gateway.profiles.UpdateProfile, profile)
    first, *others = member.hobbies
    marked = Hobby(hobby_option_id=first.hobby_option_id, micro_description=f"{stage.marks[1]} and tea")
    hobbies = SetHobbiesRequest(request_id=request_id(), hobbies=[marked, *others])
    await member.session.call(gateway.profiles.SetHobbies, hobbies)
    await stage.clock.wait_until_idle()
    expect("marks that are found", stage.marks, [mark for mark in stage.marks if await _tables_with(stage, mark)])
    photos = await member.session.call(gateway.profiles.ListPhotos, ListPhotosRequest())
    stage.links += [photo.url for photo in photos.photos]
    note.detail = f"{member.person.name} writes what nobody else ever wrote"


async def erased(stage: Stage, note: Note) -> None:
    """ID-09: after thirty days none of the words, no number and no photo is left, and the number is free."""
    member = _leaving(stage)
    await stage.clock.move(KEPT_FOR)
    receipts = await stage.clock.superuser.fetchval(
        "SELECT cardinality(receipts) FROM identity.erasures WHERE user_id = $1::text::uuid AND erased_at IS NOT NULL",
        member.id,
    )
    expect("receipts", len(CONTEXTS) + 1, receipts)
    # The app's answers are kept for a day by the machine's clock, which the story does not move.
    for mark in stage.marks:
        left = [table for table in await _tables_with(stage, mark) if not table.endswith(".kept_answers")]
        if left:
            raise Unexpected(f"{mark} is still in {', '.join(left)}")
    for link in stage.links:
        expect("a photo's link leads nowhere", True, await _is_gone(link))
    note.detail = f"nothing of {member.person.name} is left: {receipts} receipts, {len(stage.links)} photos gone"


async def _is_gone(link: str) -> bool:
    try:
        await objects.fetch(link)
    except Unexpected:
        return True
    return False


def _leaving(stage: Stage) -> Member:
    return stage.scene("I").other


def _mark() -> str:
    """A word of letters only: with digits it would be taken for a handle (PR-10)."""
    return "Mark" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(16))


async def _tables_with(stage: Stage, mark: str) -> list[str]:
    """The tables of all schemas that contain a word, as text or as bytes."""
    found = []
    for row in await stage.clock.superuser.fetch(TABLES, list(CONTEXTS)):
        sql = f"SELECT EXISTS (SELECT FROM {row['name']} t WHERE t::text ILIKE $1 OR t::text ILIKE $2)"
        if await stage.clock.superuser.fetchval(sql, f"%{mark}%", f"%{mark.encode().hex()}%"):
            found.append(row["name"])
    return found
