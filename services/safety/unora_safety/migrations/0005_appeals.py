"""An appeal takes a case back from the moderator who has it and does not know of the appeal (SA-05, SA-06)."""

from unora_common.messaging_schema import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CASES = """
CREATE OR REPLACE FUNCTION safety.keep_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.case_status = 'decided'
        OR (OLD.case_status = 'assigned' AND NEW.case_status = 'open' AND (OLD.appealed OR NOT NEW.appealed))
        OR (OLD.case_status = 'open' AND NEW.case_status = 'decided')
        OR (OLD.appealed AND NOT NEW.appealed)
        OR (NEW.id, NEW.user_id, NEW.origin, NEW.opened_at) <> (OLD.id, OLD.user_id, OLD.origin, OLD.opened_at)
        OR NEW.version < OLD.version THEN
        RAISE EXCEPTION 'a case goes from open to assigned to decided, back only for an appeal; a decided one stays'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_forward';
    END IF;
    RETURN NEW;
END
$$;
"""


def upgrade() -> None:
    run_sql(CASES)
