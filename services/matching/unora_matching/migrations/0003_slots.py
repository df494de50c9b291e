"""The schema itself holds slots and wipes: no connection beyond the tier, and nobody full has a wish that waits."""

from unora_common.messaging_schema import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A tier that falls leaves a member with more connections than it has slots (MA-07); more than that it never is.
SLOTS = """
CREATE FUNCTION matching.hold_slots() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.active_connection_count > NEW.tier_limit
        AND (TG_OP = 'INSERT' OR NEW.active_connection_count > OLD.active_connection_count)
    THEN
        RAISE EXCEPTION 'no connection is formed beyond the slots of the tier'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'inventory_slots';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER hold_slots AFTER INSERT OR UPDATE OF active_connection_count ON matching.inventory
    FOR EACH ROW EXECUTE FUNCTION matching.hold_slots();
"""

# Judged at the commit, when the connection, the count and the wipe of one transaction are all there (MA-04). A member's
# inventory row is locked by whoever changes either side, so nobody slips between two transactions.
WIPES = """
CREATE FUNCTION matching.hold_wipe() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    member uuid := CASE TG_TABLE_NAME WHEN 'inventory' THEN (to_jsonb(NEW) ->> 'user_id')::uuid
        ELSE (to_jsonb(NEW) ->> 'sender_id')::uuid END;
BEGIN
    IF EXISTS (
        SELECT 1 FROM matching.inventory
        WHERE user_id = member AND active_connection_count >= connection_limit)
        AND EXISTS (
            SELECT 1 FROM matching.interests
            WHERE sender_id = member AND interest_status = 'pending' AND deleted_at IS NULL)
    THEN
        RAISE EXCEPTION 'who has no open slot has no interest that waits'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'total_wipe';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER hold_wipe AFTER INSERT OR UPDATE OF active_connection_count, connection_limit
    ON matching.inventory
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.active_connection_count >= NEW.connection_limit) EXECUTE FUNCTION matching.hold_wipe();
CREATE CONSTRAINT TRIGGER hold_wipe AFTER INSERT OR UPDATE ON matching.interests
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.interest_status = 'pending') EXECUTE FUNCTION matching.hold_wipe();
"""


def upgrade() -> None:
    run_sql(SLOTS)
    run_sql(WIPES)
