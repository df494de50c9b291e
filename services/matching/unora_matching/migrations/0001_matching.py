"""Inventory, connections, interests and wipes, with their transitions held by triggers (MA-04, MA-06, MA-08, MA-09)."""

from unora_common.messaging_schema import create_messaging_tables, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE matching.inventory (
    user_id uuid NOT NULL CONSTRAINT pk_inventory PRIMARY KEY,
    tier text NOT NULL,
    active_connection_count integer NOT NULL,
    connection_limit integer NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT ck_inventory_tier CHECK (tier IN ('free', 'plus', 'pro')),
    CONSTRAINT ck_inventory_within_limit CHECK (active_connection_count BETWEEN 0 AND connection_limit)
);
COMMENT ON TABLE matching.inventory IS
    'Slots of each member over all servers (MA-06); its row is the lock under which they match (MA-02)';

CREATE TABLE matching.connections (
    id uuid NOT NULL CONSTRAINT pk_connections PRIMARY KEY,
    user_a_id uuid NOT NULL,
    user_b_id uuid NOT NULL,
    server_type text NOT NULL,
    connection_status text NOT NULL,
    formed_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by_id uuid,
    end_reason text,
    chat_unlocked_at timestamptz,
    version bigint NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT ck_connections_pair_ordered CHECK (user_a_id < user_b_id),
    CONSTRAINT ck_connections_server_type CHECK (server_type IN ('partner', 'friend', 'growth')),
    CONSTRAINT ck_connections_connection_status CHECK (connection_status IN ('active', 'ended')),
    CONSTRAINT ck_connections_ended CHECK (
        num_nonnulls(ended_at, ended_by_id, end_reason) = CASE connection_status WHEN 'ended' THEN 3 ELSE 0 END),
    CONSTRAINT ck_connections_ended_by_one_of_the_pair CHECK (ended_by_id IN (user_a_id, user_b_id)),
    CONSTRAINT ck_connections_end_reason CHECK (
        end_reason IN ('not_a_fit', 'no_time', 'unresponsive', 'uncomfortable', 'other'))
);
CREATE UNIQUE INDEX uq_connections_one_active_per_pair ON matching.connections (user_a_id, user_b_id)
    WHERE connection_status = 'active' AND deleted_at IS NULL;
CREATE INDEX ix_connections_user_a_id_user_b_id ON matching.connections (user_a_id, user_b_id);
CREATE INDEX ix_connections_user_b_id ON matching.connections (user_b_id);
COMMENT ON TABLE matching.connections IS 'Formed by mutual interest, bound to one server (MA-08)';

CREATE TABLE matching.interests (
    id uuid NOT NULL CONSTRAINT pk_interests PRIMARY KEY,
    sender_id uuid NOT NULL,
    receiver_id uuid NOT NULL,
    server_type text NOT NULL,
    card_id uuid NOT NULL,
    interest_status text NOT NULL,
    shown_as text NOT NULL,
    sent_at timestamptz NOT NULL,
    closed_at timestamptz,
    connection_id uuid CONSTRAINT fk_interests_connection_id REFERENCES matching.connections (id),
    version bigint NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT ck_interests_not_to_oneself CHECK (sender_id <> receiver_id),
    CONSTRAINT ck_interests_server_type CHECK (server_type IN ('partner', 'friend', 'growth')),
    CONSTRAINT ck_interests_interest_status CHECK (interest_status IN ('pending', 'matched', 'wiped', 'void')),
    CONSTRAINT ck_interests_shown_as CHECK (
        CASE interest_status WHEN 'void' THEN shown_as IN ('pending', 'wiped') ELSE shown_as = interest_status END),
    CONSTRAINT ck_interests_closed CHECK ((interest_status = 'pending') = (closed_at IS NULL)),
    CONSTRAINT ck_interests_matched CHECK ((interest_status = 'matched') = (connection_id IS NOT NULL))
);
CREATE UNIQUE INDEX uq_interests_one_pending ON matching.interests (sender_id, receiver_id, server_type)
    WHERE shown_as = 'pending' AND deleted_at IS NULL;
CREATE INDEX ix_interests_sender_id_sent_at_id ON matching.interests (sender_id, sent_at, id);
CREATE INDEX ix_interests_connection_id ON matching.interests (connection_id) WHERE connection_id IS NOT NULL;
COMMENT ON TABLE matching.interests IS
    'One-way wishes (MA-01); shown_as is what the sender sees, to whom a void one looks pending (MA-11)';

CREATE TABLE matching.interest_wipes (
    id uuid NOT NULL CONSTRAINT pk_interest_wipes PRIMARY KEY,
    user_id uuid NOT NULL,
    connection_id uuid NOT NULL CONSTRAINT fk_interest_wipes_connection_id REFERENCES matching.connections (id),
    wiped_count integer NOT NULL,
    wiped_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT uq_interest_wipes_connection_id_user_id UNIQUE (connection_id, user_id),
    CONSTRAINT ck_interest_wipes_wiped_count CHECK (wiped_count >= 0),
    CONSTRAINT ck_interest_wipes_never_deleted CHECK (deleted_at IS NULL)
);
CREATE INDEX ix_interest_wipes_user_id ON matching.interest_wipes (user_id);
COMMENT ON TABLE matching.interest_wipes IS
    'Log of Total Wipes, one for each last slot that a connection took (MA-04); never changed or deleted';
"""

TRIGGERS = """
CREATE FUNCTION matching.hold_interest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.interest_status NOT IN ('pending', 'void') OR NEW.shown_as <> 'pending' THEN
            RAISE EXCEPTION 'an interest cannot begin as %', NEW.interest_status
                USING ERRCODE = 'check_violation', CONSTRAINT = 'interest_transition';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.sender_id, NEW.receiver_id, NEW.server_type, NEW.card_id, NEW.sent_at)
        IS DISTINCT FROM (OLD.sender_id, OLD.receiver_id, OLD.server_type, OLD.card_id, OLD.sent_at) THEN
        RAISE EXCEPTION 'what was sent, by whom and to whom does not change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'interest_fixed';
    END IF;
    IF (OLD.interest_status <> 'pending' AND NEW.interest_status <> OLD.interest_status)
        OR (OLD.shown_as <> 'pending' AND NEW.shown_as <> OLD.shown_as) THEN
        RAISE EXCEPTION 'an interest cannot go from % to %', OLD.interest_status, NEW.interest_status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'interest_transition';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_interest BEFORE INSERT OR UPDATE ON matching.interests
    FOR EACH ROW EXECUTE FUNCTION matching.hold_interest();

CREATE FUNCTION matching.hold_connection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.connection_status <> 'active' THEN
            RAISE EXCEPTION 'a connection cannot begin as %', NEW.connection_status
                USING ERRCODE = 'check_violation', CONSTRAINT = 'connection_transition';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.user_a_id, NEW.user_b_id, NEW.server_type, NEW.formed_at)
        IS DISTINCT FROM (OLD.user_a_id, OLD.user_b_id, OLD.server_type, OLD.formed_at) THEN
        RAISE EXCEPTION 'a connection is bound to its pair and its server'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'connection_fixed';
    END IF;
    IF OLD.connection_status = 'ended' AND (NEW.connection_status, NEW.ended_at, NEW.ended_by_id, NEW.end_reason)
        IS DISTINCT FROM (OLD.connection_status, OLD.ended_at, OLD.ended_by_id, OLD.end_reason) THEN
        RAISE EXCEPTION 'a connection that has ended stays as it ended'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'connection_transition';
    END IF;
    IF NEW.chat_unlocked_at IS DISTINCT FROM OLD.chat_unlocked_at
        AND (OLD.chat_unlocked_at IS NOT NULL OR OLD.connection_status <> 'active') THEN
        RAISE EXCEPTION 'chat is unlocked once, while the connection is active'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'connection_chat';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_connection BEFORE INSERT OR UPDATE ON matching.connections
    FOR EACH ROW EXECUTE FUNCTION matching.hold_connection();

CREATE FUNCTION matching.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log of wipes is never changed or deleted'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'interest_wipe_immutable';
END
$$;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON matching.interest_wipes
    FOR EACH STATEMENT EXECUTE FUNCTION matching.refuse_change();
"""


def upgrade() -> None:
    create_messaging_tables("matching")
    run_sql(TABLES)
    run_sql(TRIGGERS)
