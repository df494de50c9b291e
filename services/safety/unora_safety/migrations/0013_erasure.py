"""Erasing a member (ID-09). It alone may blank what was written in reports, appeals and decisions."""

from unora_common.messaging_schema import create_erased_members, run_sql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ERASURE = """
CREATE OR REPLACE FUNCTION safety.keep_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('unora.erasing', true) = 'on' AND current_user = 'unora_safety_owner' THEN
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - 'deleted_at' <> to_jsonb(OLD) - 'deleted_at' THEN
        RAISE EXCEPTION 'what a member said stays as it was said'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'statement_unchanged';
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE FUNCTION safety.keep_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('unora.erasing', true) = 'on' AND current_user = 'unora_safety_owner' THEN
        RETURN NEW;
    END IF;
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
    create_erased_members("safety")
    run_sql(ERASURE)
