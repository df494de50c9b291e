"""Of which profile a card was made, and when the texts of a member were judged anew (PR-10).

Only columns that need no rewrite. A card that the version before deals has version 0, so each text of it is judged.
"""

from unora_common.messaging_schema import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE discovery.candidates ADD COLUMN texts_version bigint NOT NULL DEFAULT 0;
ALTER TABLE discovery.discovery_cards ADD COLUMN profile_version bigint NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    run_sql(COLUMNS)
