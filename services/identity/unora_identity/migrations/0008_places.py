"""A city is a place that is chosen (PR-11); cities that were written before are sought in the list by a job.

The version before goes on beside this one: it writes `city` alone. A trigger takes what it writes for what it is, a
text that is no place: nobody is shown it, and the job seeks it too.
"""

from unora_common.messaging_schema import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PROFILES = """
ALTER TABLE identity.profiles
    ADD COLUMN place_id text NOT NULL DEFAULT '',
    ADD COLUMN country text NOT NULL DEFAULT '' CONSTRAINT ck_profiles_place CHECK (
        (place_id = '') = (country = '') AND (place_id = '' OR city <> '')
        AND place_id ~ '^[0-9]{0,9}$' AND country ~ '^([A-Z]{2})?$');
"""

# The job removes a row when it has found the place, or sees that a place was chosen meanwhile.
WRITTEN = """
CREATE TABLE identity.written_cities (
    user_id uuid NOT NULL CONSTRAINT pk_written_cities PRIMARY KEY
        CONSTRAINT fk_written_cities_user_id REFERENCES identity.users (id),
    sought_in text NOT NULL DEFAULT ''
);
COMMENT ON TABLE identity.written_cities IS
    'Who has a city that was written and is no place yet, and in which version of the list it was not found (PR-11)';

CREATE FUNCTION identity.written_city() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.city <> OLD.city AND NEW.place_id = OLD.place_id THEN
        NEW.place_id := '';
        NEW.country := '';
    END IF;
    IF NEW.city <> '' AND NEW.place_id = '' THEN
        INSERT INTO identity.written_cities (user_id) VALUES (NEW.user_id)
        ON CONFLICT (user_id) DO UPDATE SET sought_in = '';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER written_city_added BEFORE INSERT ON identity.profiles FOR EACH ROW
    WHEN (NEW.city <> '') EXECUTE FUNCTION identity.written_city();
CREATE TRIGGER written_city_changed BEFORE UPDATE OF city ON identity.profiles FOR EACH ROW
    WHEN (NEW.city <> OLD.city) EXECUTE FUNCTION identity.written_city();

INSERT INTO identity.written_cities (user_id)
    SELECT user_id FROM identity.profiles WHERE city <> '' AND deleted_at IS NULL;
"""


def upgrade() -> None:
    run_sql(PROFILES)
    run_sql(WRITTEN)
