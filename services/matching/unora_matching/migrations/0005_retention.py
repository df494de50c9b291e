"""Interests that are over, and old failures of events, are found by an index, so that they can be removed.

Nothing of what the version before reads or writes changes.
"""

from unora_common.messaging_schema import index_inbox_failures, run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INTERESTS = """
CREATE INDEX ix_interests_closed_at ON matching.interests (closed_at) WHERE shown_as NOT IN ('pending', 'matched');
CREATE FUNCTION matching.hold_closed_interest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.shown_as IN ('pending', 'matched') OR OLD.closed_at > clock_timestamp() - interval '30 days' THEN
        RAISE EXCEPTION 'an interest is deleted only when it came to nothing long ago'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'interest_kept';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER hold_closed_interest BEFORE DELETE ON matching.interests
    FOR EACH ROW EXECUTE FUNCTION matching.hold_closed_interest();
"""


def upgrade() -> None:
    run_sql(INTERESTS)
    index_inbox_failures("matching")
