"""Erasing a member (ID-09): the saga's record, and indexes by which the rows of a member are found.

The key of an erased account is destroyed before its row is deleted, so it may be null from now on.
"""

from unora_common.messaging_schema import create_erased_members, run_sql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ERASURES = """
CREATE TABLE identity.erasures (
    id uuid NOT NULL CONSTRAINT pk_erasures PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT uq_erasures_user_id UNIQUE,
    version bigint NOT NULL,
    requested_at timestamptz NOT NULL,
    receipts text[] NOT NULL DEFAULT '{}',
    erased_at timestamptz,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT ck_erasures_receipts CHECK (receipts <@
        ARRAY['identity', 'discovery', 'matching', 'streak', 'reveal', 'billing', 'safety', 'objects']),
    CONSTRAINT ck_erasures_erased_with_all_receipts CHECK (erased_at IS NULL OR cardinality(receipts) = 8)
);
CREATE INDEX ix_erasures_waiting ON identity.erasures (noted_at) WHERE erased_at IS NULL;
COMMENT ON TABLE identity.erasures IS
    'Erasures, with the receipts of the seven contexts and the object store; the id maps to nobody (ID-09)';
ALTER TABLE identity.users
    -- squawk-ignore ban-drop-not-null
    ALTER COLUMN data_key DROP NOT NULL,
    ADD CONSTRAINT ck_users_data_key CHECK (data_key IS NOT NULL OR deleted_at IS NOT NULL) NOT VALID;
CREATE INDEX ix_users_erase_after ON identity.users (erase_after)
    WHERE erase_after IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX ix_photos_user_id ON identity.photos (user_id);
CREATE INDEX ix_verification_signals_user_id ON identity.verification_signals (user_id);
"""


def upgrade() -> None:
    create_erased_members("identity")
    run_sql(ERASURES)
