"""Photos in three sizes, fingerprints, and uploads that are no pictures (PR-07 to PR-09).

Only columns that need no rewrite, and a new table: the version before goes on beside this one. A photo that it adds has
no sizes and no fingerprint, and gets them from the job like those that were there before.
"""

from unora_common.messaging_schema import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PHOTOS = """
ALTER TABLE identity.photos
    ADD COLUMN card_key text,
    ADD COLUMN thumbnail_key text,
    ADD COLUMN fingerprint bigint;

ALTER TABLE identity.photo_uploads ADD COLUMN refusals jsonb NOT NULL DEFAULT '[]';
"""

# A place in the order of ids, since an index for "has no sizes yet" could only be made while nobody writes to photos.
SIZING = """
CREATE TABLE identity.photo_sizing (
    id boolean NOT NULL DEFAULT true CONSTRAINT pk_photo_sizing PRIMARY KEY,
    passed_photo_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    tries integer NOT NULL DEFAULT 1,
    claimed_until timestamptz NOT NULL,
    CONSTRAINT ck_photo_sizing_one_row CHECK (id)
);
COMMENT ON TABLE identity.photo_sizing IS
    'One row: how far the job has come that makes the sizes of earlier photos; times are the machine''s (PR-09)';
"""


def upgrade() -> None:
    run_sql(PHOTOS)
    run_sql(SIZING)
