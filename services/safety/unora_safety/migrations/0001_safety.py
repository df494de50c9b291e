"""The audit log: append-only, chained, partitioned by month (SA-01).

The service's role can add rows that continue a chain, and read, and nothing else. Heads and partitions are made by
functions that run as the owner.
"""

from unora_common.messaging_schema import create_messaging_tables, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE safety.audit_logs (
    source_context text NOT NULL,
    number bigint NOT NULL,
    event_id uuid NOT NULL,
    subject text NOT NULL,
    aggregate_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    payload bytea NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_audit_logs PRIMARY KEY (source_context, number, recorded_at),
    CONSTRAINT uq_audit_logs_event_id_recorded_at UNIQUE (event_id, recorded_at),
    CONSTRAINT ck_audit_logs_source_context CHECK (
        source_context IN ('identity', 'discovery', 'matching', 'streak', 'reveal', 'billing', 'safety')),
    CONSTRAINT ck_audit_logs_number CHECK (number > 0),
    CONSTRAINT ck_audit_logs_hashes CHECK (
        octet_length(previous_hash) = CASE WHEN number = 1 THEN 0 ELSE 32 END AND octet_length(hash) = 32)
) PARTITION BY RANGE (recorded_at);
COMMENT ON TABLE safety.audit_logs IS
    'Append-only log of every event (SA-01), one hash chain a source context, partitioned by month (UTC)';

CREATE TABLE safety.audit_chain_heads (
    source_context text NOT NULL CONSTRAINT pk_audit_chain_heads PRIMARY KEY,
    length bigint NOT NULL DEFAULT 0,
    head_hash bytea NOT NULL DEFAULT ''::bytea,
    CONSTRAINT ck_audit_chain_heads_source_context CHECK (
        source_context IN ('identity', 'discovery', 'matching', 'streak', 'reveal', 'billing', 'safety')),
    CONSTRAINT ck_audit_chain_heads_head_hash CHECK (
        octet_length(head_hash) = CASE WHEN length = 0 THEN 0 ELSE 32 END)
);
COMMENT ON TABLE safety.audit_chain_heads IS
    'Where each chain of audit_logs ends (SA-01), so that a cut tail shows; its row is locked to append';
"""

APPEND_ONLY = """
CREATE FUNCTION safety.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_append_only';
END
$$;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON safety.audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION safety.refuse_change();
CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON safety.audit_chain_heads
    FOR EACH STATEMENT EXECUTE FUNCTION safety.refuse_change();
"""

# Statement triggers are not inherited, and neither are the revoked rights: each partition gets its own. It is attached
# rather than made in place, since that locks out nobody who reads or appends meanwhile.
PARTITIONS = """
CREATE FUNCTION safety.make_audit_partition(moment timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    month timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
    partition text := 'audit_logs_' || to_char(month, 'YYYY_MM');
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE relnamespace = 'safety'::regnamespace AND relname = partition) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('safety.audit_logs partitions'));
    IF EXISTS (SELECT FROM pg_class WHERE relnamespace = 'safety'::regnamespace AND relname = partition) THEN
        RETURN;
    END IF;
    EXECUTE format(
        'CREATE TABLE safety.%I (LIKE safety.audit_logs INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
    EXECUTE format('REVOKE ALL ON safety.%I FROM unora_safety', partition);
    EXECUTE format(
        'CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON safety.%I '
        'FOR EACH STATEMENT EXECUTE FUNCTION safety.refuse_change()', partition);
    EXECUTE format(
        'ALTER TABLE safety.audit_logs ATTACH PARTITION safety.%I FOR VALUES FROM (%L) TO (%L)',
        partition, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
END
$$;
"""

# What follows the lock is read after it: the time, so that the rows of a chain are in the order of their recorded time,
# and which events are there already, so that none comes twice even when the inbox has forgotten it.
CHAIN = """
CREATE FUNCTION safety.open_audit_chain(source text, events uuid[])
RETURNS TABLE (length bigint, head_hash bytea, known uuid[], now timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO safety.audit_chain_heads (source_context) VALUES (source) ON CONFLICT DO NOTHING;
    SELECT h.length, h.head_hash INTO length, head_hash
        FROM safety.audit_chain_heads h WHERE h.source_context = source FOR UPDATE;
    known := ARRAY(SELECT l.event_id FROM safety.audit_logs l WHERE l.event_id = ANY (events));
    now := clock.now();
    PERFORM safety.make_audit_partition(now);
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION safety.open_audit_chain IS 'Locks the head of a chain to append to it; makes what is missing';

CREATE FUNCTION safety.advance_audit_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    added record;
    head record;
BEGIN
    FOR added IN
        SELECT a.source_context, count(*) AS rows, array_agg(a.event_id) AS events,
               (array_agg(a.hash ORDER BY a.number DESC))[1] AS hash
        FROM appended a GROUP BY a.source_context ORDER BY a.source_context
    LOOP
        SELECT h.length, h.head_hash INTO head
            FROM safety.audit_chain_heads h WHERE h.source_context = added.source_context FOR UPDATE;
        IF NOT FOUND OR EXISTS (
            SELECT FROM (
                SELECT a.number, a.previous_hash, row_number() OVER by_number AS place,
                       lag(a.hash, 1, head.head_hash) OVER by_number AS hash_before
                FROM appended a WHERE a.source_context = added.source_context WINDOW by_number AS (ORDER BY a.number)
            ) each WHERE each.number <> head.length + each.place OR each.previous_hash <> each.hash_before
        ) THEN
            RAISE EXCEPTION 'rows do not continue the chain of %', added.source_context
                USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_chain';
        END IF;
        IF (SELECT count(*) FROM safety.audit_logs l WHERE l.event_id = ANY (added.events)) <> added.rows THEN
            RAISE EXCEPTION 'an event of % is in the audit log already', added.source_context
                USING ERRCODE = 'unique_violation', CONSTRAINT = 'audit_event_once';
        END IF;
        UPDATE safety.audit_chain_heads h SET length = h.length + added.rows, head_hash = added.hash
            WHERE h.source_context = added.source_context;
    END LOOP;
    RETURN NULL;
END
$$;
CREATE TRIGGER advance_audit_chain AFTER INSERT ON safety.audit_logs
    REFERENCING NEW TABLE AS appended FOR EACH STATEMENT EXECUTE FUNCTION safety.advance_audit_chain();
"""

RIGHTS = """
REVOKE UPDATE, DELETE ON safety.audit_logs FROM unora_safety;
REVOKE INSERT, UPDATE, DELETE ON safety.audit_chain_heads FROM unora_safety;
REVOKE ALL ON FUNCTION safety.make_audit_partition, safety.open_audit_chain FROM PUBLIC;
GRANT EXECUTE ON FUNCTION safety.open_audit_chain TO unora_safety;
"""


def upgrade() -> None:
    create_messaging_tables("safety")
    for script in (TABLES, APPEND_ONLY, PARTITIONS, CHAIN, RIGHTS):
        run_sql(script)
