"""Signed exports of the heads of the audit chains, one a day (SA-11)."""

from unora_common.messaging_schema import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE safety.audit_head_exports (
    day date NOT NULL CONSTRAINT pk_audit_head_exports PRIMARY KEY,
    id uuid NOT NULL,
    exported_at timestamptz NOT NULL,
    document text NOT NULL
);
COMMENT ON TABLE safety.audit_head_exports IS
    'Signed exports of the heads of audit_logs, one a day (UTC); append-only (SA-11)';
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON safety.audit_head_exports
    FOR EACH STATEMENT EXECUTE FUNCTION safety.refuse_change();
REVOKE UPDATE, DELETE ON safety.audit_head_exports FROM unora_safety;
"""


def upgrade() -> None:
    run_sql(TABLE)
