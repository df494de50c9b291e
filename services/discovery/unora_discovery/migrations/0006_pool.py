"""A slot for each member of the pool, and what changed of whom (DI-17); cards that are written once; what is purged."""

from unora_common.messaging_schema import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# `changed` is the transaction (xid8) that changed a fact of the member, so a process that knows a snapshot finds all
# that was committed since. The slot is drawn only for a new row: an upsert would burn a number each time.
POOL = """
CREATE TABLE discovery.pool (
    user_id uuid NOT NULL CONSTRAINT pk_pool PRIMARY KEY,
    slot integer GENERATED ALWAYS AS IDENTITY NOT NULL CONSTRAINT uq_pool_slot UNIQUE,
    changed bigint NOT NULL
);
CREATE INDEX ix_pool_changed ON discovery.pool (changed);
COMMENT ON TABLE discovery.pool IS
    'The slot of each member in the planes, and the transaction that changed them last (DI-17)';

CREATE FUNCTION discovery.note_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    member uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.user_id ELSE NEW.user_id END;
    now_in bigint := pg_current_xact_id()::text::bigint;
BEGIN
    UPDATE discovery.pool SET changed = now_in WHERE user_id = member;
    IF NOT FOUND THEN
        INSERT INTO discovery.pool AS p (user_id, changed) VALUES (member, now_in)
        ON CONFLICT (user_id) DO UPDATE SET changed = excluded.changed;
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION discovery.note_change() FROM PUBLIC;
"""

# The members of before. It runs again behind the triggers, which block writers: by then only a few are missing.
FILL = """
INSERT INTO discovery.pool (user_id, changed)
SELECT user_id, pg_current_xact_id()::text::bigint FROM (
    SELECT user_id FROM discovery.candidates
    UNION SELECT user_id FROM discovery.server_memberships) AS members
ON CONFLICT (user_id) DO NOTHING;
"""

# Only what a search compares: a refresh, a tier or a new text changes no plane.
TRIGGERS = """
CREATE TRIGGER note_new AFTER INSERT OR DELETE ON discovery.candidates
    FOR EACH ROW EXECUTE FUNCTION discovery.note_change();
CREATE TRIGGER note_change AFTER UPDATE ON discovery.candidates FOR EACH ROW
    WHEN ((OLD.discovery_ready, OLD.gender, OLD.age_band, OLD.place_id, OLD.hobby_option_ids, OLD.reduced_visibility,
            OLD.restricted, OLD.suspended, OLD.active_connection_count < OLD.connection_limit)
        IS DISTINCT FROM (NEW.discovery_ready, NEW.gender, NEW.age_band, NEW.place_id, NEW.hobby_option_ids,
            NEW.reduced_visibility, NEW.restricted, NEW.suspended,
            NEW.active_connection_count < NEW.connection_limit))
    EXECUTE FUNCTION discovery.note_change();

CREATE TRIGGER note_new AFTER INSERT OR DELETE ON discovery.server_memberships
    FOR EACH ROW EXECUTE FUNCTION discovery.note_change();
CREATE TRIGGER note_change AFTER UPDATE ON discovery.server_memberships FOR EACH ROW
    WHEN ((OLD.left_at IS NULL) <> (NEW.left_at IS NULL)) EXECUTE FUNCTION discovery.note_change();

CREATE TRIGGER note_new AFTER INSERT OR DELETE ON discovery.filters
    FOR EACH ROW EXECUTE FUNCTION discovery.note_change();
CREATE TRIGGER note_change AFTER UPDATE ON discovery.filters FOR EACH ROW
    WHEN ((OLD.genders, OLD.age_bands, OLD.same_city_only, OLD.deleted_at IS NULL)
        IS DISTINCT FROM (NEW.genders, NEW.age_bands, NEW.same_city_only, NEW.deleted_at IS NULL))
    EXECUTE FUNCTION discovery.note_change();
"""

# Whether a card is on a screen is its batch's matter: a card that was written again at each replacement took its space
# twice. The version before still writes `deleted_at`, so a replaced batch may have five such cards or none.
CARDS = """
CREATE OR REPLACE FUNCTION discovery.hold_five() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    batch uuid;
    active boolean;
    shown bigint;
BEGIN
    IF TG_TABLE_NAME = 'discovery_batches' THEN
        batch := NEW.id;
    ELSE
        batch := coalesce(NEW.batch_id, OLD.batch_id);
    END IF;
    SELECT b.deleted_at IS NULL INTO active FROM discovery.discovery_batches b WHERE b.id = batch;
    SELECT count(*) INTO shown FROM discovery.discovery_cards k WHERE k.batch_id = batch AND k.deleted_at IS NULL;
    IF shown <> 5 AND (coalesce(active, false) OR shown <> 0) THEN
        RAISE EXCEPTION 'a batch has exactly five cards, not %', shown
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_of_five';
    END IF;
    RETURN NULL;
END
$$;
"""

# The position among those who wait for the same receiver: about 1, 2, 3, … so some of many can be drawn by it (DI-13).
# Two at the same time may get the same one, which changes no one's chance.
PAIRS = """
ALTER TABLE discovery.waiting_interests ADD COLUMN position integer NOT NULL DEFAULT 0;
UPDATE discovery.waiting_interests w SET position = numbered.position FROM (
    SELECT interest_id, row_number() OVER (PARTITION BY receiver_id, server_type ORDER BY interest_id) AS position
    FROM discovery.waiting_interests WHERE waits) AS numbered
WHERE w.interest_id = numbered.interest_id;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ix_waiting_interests_receiver_id_server_type_position
    ON discovery.waiting_interests (receiver_id, server_type, position) WHERE waits;
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX discovery.ix_waiting_interests_receiver_id_server_type;
CREATE FUNCTION discovery.number_wait() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.position := 1 + coalesce((
        SELECT max(w.position) FROM discovery.waiting_interests w
        WHERE w.receiver_id = NEW.receiver_id AND w.server_type = NEW.server_type AND w.waits), 0);
    RETURN NEW;
END
$$;
CREATE TRIGGER number_wait BEFORE INSERT ON discovery.waiting_interests
    FOR EACH ROW WHEN (NEW.position = 0) EXECUTE FUNCTION discovery.number_wait();

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ix_exclusions_apart_until ON discovery.exclusions (apart_until)
    WHERE reason IN ('lifted', 'interest_pending');
-- Only what keeps nobody apart can be deleted.
CREATE FUNCTION discovery.hold_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'this keeps two members apart' USING ERRCODE = 'check_violation', CONSTRAINT = 'kept_apart';
END
$$;
CREATE TRIGGER hold_apart BEFORE DELETE ON discovery.exclusions FOR EACH ROW
    WHEN (OLD.reason IN ('connected', 'ended')) EXECUTE FUNCTION discovery.hold_apart();
CREATE TRIGGER hold_apart BEFORE DELETE ON discovery.member_blocks FOR EACH ROW
    WHEN (OLD.in_force) EXECUTE FUNCTION discovery.hold_apart();
UPDATE discovery.exclusions SET apart_until = clock.now() WHERE reason = 'lifted' AND apart_until IS NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ix_member_blocks_changed_at ON discovery.member_blocks (changed_at) WHERE NOT in_force;
"""


def upgrade() -> None:
    run_sql(POOL)
    run_sql(FILL)
    run_sql(TRIGGERS)
    run_sql(FILL)
    run_sql(CARDS)
    run_sql(PAIRS)
