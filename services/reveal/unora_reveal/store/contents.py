"""What unlocked reveals have shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from unora_common.database import Tx

from unora_reveal.domain.facts import FramedText
from unora_reveal.domain.reveals import Reveal

INSERT_TEXT = """
    INSERT INTO reveal.reveal_contents (reveal_id, reveal_number, content_json, created_at) VALUES ($1, $2, $3, $4)"""

ADD_PHOTOS = """
    INSERT INTO reveal.reveal_contents AS c (reveal_id, reveal_number, photo_ids, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (reveal_id) DO UPDATE SET
        photo_ids = ARRAY(SELECT DISTINCT unnest(c.photo_ids || excluded.photo_ids) ORDER BY 1)
    WHERE NOT c.photo_ids @> excluded.photo_ids"""


async def insert_text(tx: Tx, reveal: Reveal, framed: FramedText) -> None:
    """Stores the text of an unlocked reveal, which is never changed (RE-09)."""
    content = json.dumps({"title": framed.title, "text": framed.text})
    await tx.run(INSERT_TEXT, reveal.id, reveal.number, content, tx.now)


async def add_photos(tx: Tx, reveal: Reveal, photo_ids: Sequence[UUID]) -> None:
    """Adds the photos that the identity shows now to those that it has shown before (RE-12)."""
    await tx.run(ADD_PHOTOS, reveal.id, reveal.number, sorted(photo_ids), tx.now)
