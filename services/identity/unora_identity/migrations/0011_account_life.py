"""Pausing, closing and hiding an account (ID-09, ID-13, ID-16).

Only nullable columns, and two columns that may be null from now on: the version before goes on beside this one. Rows
that are there satisfy the checks, so nothing is scanned for them.
"""

from unora_common.messaging_schema import run_sql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ACCOUNT_LIFE = """
ALTER TABLE identity.users
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN closed_at timestamptz,
    ADD COLUMN hidden_at timestamptz,
    ADD COLUMN erase_after timestamptz,
    -- squawk-ignore ban-drop-not-null
    ALTER COLUMN phone_hash DROP NOT NULL,
    -- squawk-ignore ban-drop-not-null
    ALTER COLUMN phone_sealed DROP NOT NULL,
    ADD CONSTRAINT ck_users_phone_whole CHECK ((phone_hash IS NULL) = (phone_sealed IS NULL)) NOT VALID,
    ADD CONSTRAINT ck_users_phone_or_hidden CHECK (
        phone_hash IS NOT NULL OR hidden_at IS NOT NULL OR deleted_at IS NOT NULL) NOT VALID,
    ADD CONSTRAINT ck_users_hidden_without_phone CHECK (hidden_at IS NULL OR phone_hash IS NULL) NOT VALID,
    ADD CONSTRAINT ck_users_erase_after CHECK (
        (erase_after IS NULL) = (closed_at IS NULL AND hidden_at IS NULL)) NOT VALID;
"""


def upgrade() -> None:
    run_sql(ACCOUNT_LIFE)
