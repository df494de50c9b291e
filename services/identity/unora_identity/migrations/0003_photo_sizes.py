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

# The version before deletes a photo by its full size alone, and may go on to do so, also after a roll-back.
ALL_SIZES = """
CREATE FUNCTION identity.all_sizes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.object_keys := NEW.object_keys || ARRAY(
        SELECT DISTINCT key FROM identity.photos p, unnest(ARRAY[p.card_key, p.thumbnail_key]) AS key
        WHERE p.object_key = ANY (NEW.object_keys) AND key <> ALL (NEW.object_keys));
    RETURN NEW;
END $$;
CREATE TRIGGER all_sizes BEFORE INSERT ON identity.photo_uploads FOR EACH ROW WHEN (NEW.request_id = NEW.id)
    EXECUTE FUNCTION identity.all_sizes();
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
    run_sql(ALL_SIZES)
    run_sql(SIZING)
