"""The index of the audit log: what a row is found by, beside the log, whose rows and chain stay untouched (SA-01).

It is filled by the service, also for the rows that are there already.
"""

from unora_common.messaging_schema import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE safety.audit_index (
    term text NOT NULL,
    recorded_at timestamptz NOT NULL,
    source_context text NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT pk_audit_index PRIMARY KEY (term, recorded_at, source_context, number)
);
COMMENT ON TABLE safety.audit_index IS
    'Under which context, event, aggregate and members a row of audit_logs is found; append-only too (SA-01)';

CREATE TABLE safety.audit_index_heads (
    source_context text NOT NULL CONSTRAINT pk_audit_index_heads PRIMARY KEY,
    number bigint NOT NULL,
    recorded_at timestamptz,
    CONSTRAINT ck_audit_index_heads_number CHECK (number >= 0)
);
COMMENT ON TABLE safety.audit_index_heads IS 'Up to which row each chain is in audit_index';
INSERT INTO safety.audit_index_heads (source_context, number)
SELECT unnest(ARRAY['identity', 'discovery', 'matching', 'streak', 'reveal', 'billing', 'safety']), 0;
"""

RIGHTS = """
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON safety.audit_index
    FOR EACH STATEMENT EXECUTE FUNCTION safety.refuse_change();
REVOKE UPDATE, DELETE ON safety.audit_index FROM unora_safety;
REVOKE INSERT, DELETE ON safety.audit_index_heads FROM unora_safety;
"""


def upgrade() -> None:
    for script in (TABLES, RIGHTS):
        run_sql(script)
