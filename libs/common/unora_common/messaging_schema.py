"""The messaging tables as the first migration of each context creates them. A change needs a migration of its own."""

from __future__ import annotations

from alembic import op

MESSAGING_TABLES = """
CREATE TABLE {schema}.outbox (
    id uuid NOT NULL CONSTRAINT pk_outbox PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    aggregate_id uuid NOT NULL,
    aggregate_version bigint NOT NULL,
    subject text NOT NULL,
    payload bytea NOT NULL,
    occurred_at timestamptz NOT NULL,
    trace text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    CONSTRAINT uq_outbox_aggregate_id_aggregate_version UNIQUE (aggregate_id, aggregate_version)
);
CREATE INDEX ix_outbox_unpublished ON {schema}.outbox (seq) WHERE published_at IS NULL;
CREATE INDEX ix_outbox_published ON {schema}.outbox (created_at) WHERE published_at IS NOT NULL;
COMMENT ON TABLE {schema}.outbox IS
    'Events of this context, written with their cause, published by the relay (XX-02)';

CREATE TABLE {schema}.inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_inbox PRIMARY KEY (consumer, event_id)
);
CREATE INDEX ix_inbox_applied_at ON {schema}.inbox (applied_at);
COMMENT ON TABLE {schema}.inbox IS 'Which events were applied, so that each is applied exactly once (XX-02)';

CREATE TABLE {schema}.inbox_failures (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    failures integer NOT NULL,
    error text NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_inbox_failures PRIMARY KEY (consumer, event_id)
);
COMMENT ON TABLE {schema}.inbox_failures IS 'Events that could not be applied, and how often it was tried';

CREATE TABLE {schema}.kept_answers (
    caller text NOT NULL,
    method text NOT NULL,
    request_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    answer bytea NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_kept_answers PRIMARY KEY (caller, method, request_id)
);
CREATE INDEX ix_kept_answers_kept_at ON {schema}.kept_answers (kept_at);
COMMENT ON TABLE {schema}.kept_answers IS 'Answers of mutating calls, given again to a repeat (BI-08)';
"""

REBUILDS = """
CREATE TABLE {schema}.rebuilds (
    part text NOT NULL CONSTRAINT pk_rebuilds PRIMARY KEY,
    run_id uuid NOT NULL,
    token text NOT NULL,
    members bigint NOT NULL,
    finished_at timestamptz,
    CONSTRAINT ck_rebuilds_members CHECK (members >= 0)
);
COMMENT ON TABLE {schema}.rebuilds IS
    'Of each projection, how far the latest rebuild has come; times are the machine''s (XX-08)';
"""

HOLD_OUTBOX = """
CREATE FUNCTION {schema}.hold_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an event is deleted only after it was published'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'outbox_published';
END
$$;
CREATE TRIGGER hold_outbox BEFORE DELETE ON {schema}.outbox
    FOR EACH ROW WHEN (OLD.published_at IS NULL) EXECUTE FUNCTION {schema}.hold_outbox();
"""

# An event that arrives late must not bring back what was erased. A consumer asks here, in the transaction of the event,
# which members are erased. That takes a shared lock, and noting a member takes it alone. So what began before a member
# was noted is over when the note is written, and what begins later sees it: the function is volatile, so it looks anew
# after it has waited.
ERASED_MEMBERS = """
CREATE TABLE {schema}.erased_members (
    user_id uuid NOT NULL CONSTRAINT pk_erased_members PRIMARY KEY,
    erasure_id uuid NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    erased_at timestamptz
);
CREATE INDEX ix_erased_members_waiting ON {schema}.erased_members (noted_at) WHERE erased_at IS NULL;
COMMENT ON TABLE {schema}.erased_members IS
    'Whom identity asked to erase: tombstones, against which late events are held (ID-09)';

CREATE FUNCTION {schema}.erased_among(members uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('erasures of {schema}'));
    RETURN QUERY SELECT e.user_id FROM {schema}.erased_members e WHERE e.user_id = ANY (members);
END
$$;
REVOKE ALL ON FUNCTION {schema}.erased_among FROM PUBLIC;
COMMENT ON FUNCTION {schema}.erased_among IS
    'Those of the members who are or will be erased; nobody else becomes one before the transaction ends (ID-09)';
"""


def run_sql(script: str) -> None:
    """Runs a script. A statement ends with `;` at the end of a line, outside of `$$` bodies."""
    statement: list[str] = []
    inside = False
    for line in script.strip().splitlines():
        statement.append(line)
        inside ^= line.count("$$") % 2 == 1
        if line.rstrip().endswith(";") and not inside:
            op.execute("\n".join(statement).rstrip().rstrip(";"))
            statement = []


def create_messaging_tables(schema: str) -> None:
    """Creates outbox, inbox, inbox_failures and kept_answers."""
    run_sql(MESSAGING_TABLES.format(schema=schema))


def create_rebuilds(schema: str) -> None:
    """Creates the table in which rebuilds of projections note how far they are (XX-08)."""
    run_sql(REBUILDS.format(schema=schema))


def hold_outbox(schema: str) -> None:
    """Keeps unpublished events in the outbox (XX-02)."""
    run_sql(HOLD_OUTBOX.format(schema=schema))


def index_inbox_failures(schema: str) -> None:
    """Lets old failures be found without reading all of them."""
    run_sql(f"CREATE INDEX ix_inbox_failures_failed_at ON {schema}.inbox_failures (failed_at);")


def create_erased_members(schema: str) -> None:
    """Creates the tombstones of erased members (ID-09). The function that erases is made by `migrate`."""
    run_sql(ERASED_MEMBERS.format(schema=schema))
