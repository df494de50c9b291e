"""The metadata of the discovery schema, with the messaging tables in it."""

from __future__ import annotations

from unora_common.erased import blanked
from unora_common.tables import metadata as schema
from unora_common.tables import rebuilds

metadata = schema("discovery")
rebuilds(metadata)

# Not a foreign key to `servers`: each insert would lock its row there, and all members share those three rows.
SERVER_TYPES = "server_type IN ('partner', 'friend', 'growth')"
AGE_BANDS = "age_band IN ('18_24', '25_29', '30_34', '35_39', '40_49', '50_59', '60_plus')"

# What others see of an erased member on the cards that they were dealt: a card as any whose texts were hidden and whose
# city is no place (DI-16). A card that vanished, or one without hobbies, would tell that the member is gone.
CARDS_OF_MEMBER = blanked(
    "city = '', place_id = '', hobbies = (SELECT coalesce(jsonb_agg("
    """h || '{"micro_description": ""}' ORDER BY n), '[]')"""
    " FROM jsonb_array_elements(hobbies) WITH ORDINALITY AS each (h, n))",
    where="shown_user_id = member"
    """ AND (city <> '' OR place_id <> '' OR hobbies @? '$[*].micro_description ? (@ != "")')""",
    reason="the viewer was dealt it (DI-02, DI-16); names of hobbies, an age band and a level",
)
