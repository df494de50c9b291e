"""By which phone.key the stored numbers were hashed: a process with another one is not let at them (ID-01)."""

from unora_common.messaging_schema import run_sql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

PHONE_KEY = """
CREATE TABLE identity.phone_key (
    id boolean NOT NULL DEFAULT true CONSTRAINT pk_phone_key PRIMARY KEY,
    fingerprint bytea NOT NULL,
    CONSTRAINT ck_phone_key_one_row CHECK (id),
    CONSTRAINT ck_phone_key_fingerprint CHECK (octet_length(fingerprint) = 32)
);
COMMENT ON TABLE identity.phone_key IS
    'One row: what is derived of the key of phone numbers, by which another key is noticed (ID-01)';
"""


def upgrade() -> None:
    run_sql(PHONE_KEY)
