"""The place of a member, and of a card (PR-11). A city without a place is shown to nobody, whoever wrote it.

The version before goes on beside this one: it writes no place, and must be able to store a member who is ready and
whose city is empty, as identity sends it until the member has chosen a place.
"""

from unora_common.messaging_schema import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# The constraint asks for less than before, so all rows and what the version before writes satisfy it.
PLACES = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE discovery.candidates DROP CONSTRAINT ck_candidates_ready_is_whole;
ALTER TABLE discovery.candidates
    ADD COLUMN place_id text NOT NULL DEFAULT '' CONSTRAINT ck_candidates_ready_is_whole CHECK (
        NOT discovery_ready OR (gender IS NOT NULL AND age_band IS NOT NULL
            AND trust_level BETWEEN 1 AND 5 AND cardinality(hobby_option_ids) >= 2));
ALTER TABLE discovery.discovery_cards ADD COLUMN place_id text NOT NULL DEFAULT '';
"""

# A card keeps the place that it was dealt with, as it keeps everything else.
CARDS = """
CREATE TRIGGER refuse_change_of_place BEFORE UPDATE OF place_id
    ON discovery.discovery_cards FOR EACH STATEMENT EXECUTE FUNCTION discovery.refuse_change();
"""


def upgrade() -> None:
    run_sql(PLACES)
    run_sql(CARDS)
