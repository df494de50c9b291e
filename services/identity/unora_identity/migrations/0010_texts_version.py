"""Which version a member's texts were judged anew at, which discovery learns without the event too (PR-10, XX-08).

Null means that no version noted it: a default would say of earlier members that their texts were never judged anew.
"""

from unora_common.messaging_schema import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("ALTER TABLE identity.users ADD COLUMN texts_version bigint;")
