"""Hidden words and which guard has judged them, refused dates of birth, lengths in graphemes (PR-10, PR-12, ID-08).

The version before goes on beside this one: what it writes is judged by the job, since triggers note each change.
"""

from unora_common.messaging_schema import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE identity.profiles ADD COLUMN birth_date_refused_at timestamptz;
ALTER TABLE identity.hobbies ADD COLUMN hidden boolean NOT NULL DEFAULT false;
"""

# Looser than those before, so what is stored fits. The domain counts graphemes; here are only their code points.
LENGTHS = """
ALTER TABLE identity.profiles
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck_profiles_lengths,
    ADD CONSTRAINT ck_profiles_lengths CHECK (
        char_length(name) <= 480 AND char_length(city) <= 640 AND char_length(bio) <= 4000
        AND char_length(occupation) <= 640 AND char_length(time_zone) <= 64);
ALTER TABLE identity.hobbies
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck_hobbies_micro_description,
    ADD CONSTRAINT ck_hobbies_micro_description CHECK (char_length(micro_description) BETWEEN 3 AND 1120);
"""

CHECKS = """
CREATE TABLE identity.text_checks (
    user_id uuid NOT NULL CONSTRAINT pk_text_checks PRIMARY KEY
        CONSTRAINT fk_text_checks_user_id REFERENCES identity.users (id),
    guard_version integer NOT NULL DEFAULT 0
);
COMMENT ON TABLE identity.text_checks IS
    'Which version of the guard has judged the words of each member''s hobbies; 0 since a change (PR-10)';
INSERT INTO identity.text_checks (user_id) SELECT DISTINCT user_id FROM identity.hobbies;
CREATE INDEX ix_text_checks_guard_version ON identity.text_checks (guard_version, user_id);

CREATE FUNCTION identity.text_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO identity.text_checks AS t (user_id) VALUES (NEW.user_id)
    ON CONFLICT (user_id) DO UPDATE SET guard_version = 0 WHERE t.guard_version <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER text_written AFTER INSERT OR UPDATE OF micro_description ON identity.hobbies
    FOR EACH ROW EXECUTE FUNCTION identity.text_written();

CREATE FUNCTION identity.author_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE identity.text_checks SET guard_version = 0 WHERE user_id = NEW.user_id AND guard_version <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER author_changed AFTER UPDATE OF name, date_of_birth ON identity.profiles
    FOR EACH ROW WHEN ((OLD.name, OLD.date_of_birth) IS DISTINCT FROM (NEW.name, NEW.date_of_birth))
    EXECUTE FUNCTION identity.author_changed();
"""


def upgrade() -> None:
    run_sql(COLUMNS)
    run_sql(LENGTHS)
    run_sql(CHECKS)
