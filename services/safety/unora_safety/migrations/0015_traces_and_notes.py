"""What traces need to be the same in whatever order the events of accounts come (ID-09, SA-04), and the notes of
reports that their authors still see (SA-10).

The version before writes no such notes: a report that it takes shows none.
"""

from unora_common.messaging_schema import run_sql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TRACES = """
CREATE TABLE safety.account_reopenings (
    user_id uuid NOT NULL,
    reopened_at timestamptz NOT NULL,
    CONSTRAINT pk_account_reopenings PRIMARY KEY (user_id)
);
CREATE INDEX ix_account_reopenings_reopened_at ON safety.account_reopenings (reopened_at);
COMMENT ON TABLE safety.account_reopenings IS
    'When an account was opened again, the latest time: what closed it before leaves no trace (ID-09)';
CREATE TABLE safety.created_accounts (
    digest bytea NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_created_accounts PRIMARY KEY (digest, user_id),
    CONSTRAINT ck_created_accounts_digest CHECK (octet_length(digest) = 32)
);
CREATE INDEX ix_created_accounts_user_id ON safety.created_accounts (user_id);
CREATE INDEX ix_created_accounts_created_at ON safety.created_accounts (created_at);
COMMENT ON TABLE safety.created_accounts IS
    'Keyed hashes of number and device of new accounts, for closings of which is told late (ID-09)';
"""

# All notes are copied, also of reports that are closed: from when on they are is a setting, which a migration does not
# know. Nobody is shown those, and the job `forget` deletes them within minutes.
NOTES = """
CREATE TABLE safety.own_notes (
    report_id uuid NOT NULL,
    reporter_id uuid NOT NULL,
    note text NOT NULL,
    reported_at timestamptz NOT NULL,
    CONSTRAINT pk_own_notes PRIMARY KEY (report_id),
    CONSTRAINT ck_own_notes_note CHECK (char_length(note) BETWEEN 1 AND 8000)
);
CREATE INDEX ix_own_notes_reporter_id ON safety.own_notes (reporter_id);
CREATE INDEX ix_own_notes_reported_at ON safety.own_notes (reported_at);
COMMENT ON TABLE safety.own_notes IS
    'The notes of reports for their authors, until they are closed, whatever becomes of the reported (SA-10)';
INSERT INTO safety.own_notes (report_id, reporter_id, note, reported_at)
SELECT id, reporter_id, note, reported_at FROM safety.reports WHERE note <> '' AND deleted_at IS NULL;
"""


def upgrade() -> None:
    run_sql(TRACES)
    run_sql(NOTES)
