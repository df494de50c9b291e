"""Servers, the pool, timers, batches and cards (DI-01 to DI-09)."""

from unora_common.messaging_schema import create_messaging_tables, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MEMBERS = """
CREATE TABLE discovery.servers (
    server_type text NOT NULL CONSTRAINT pk_servers PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL,
    position smallint NOT NULL CONSTRAINT uq_servers_position UNIQUE,
    CONSTRAINT ck_servers_server_type CHECK (server_type IN ('partner', 'friend', 'growth'))
);
COMMENT ON TABLE discovery.servers IS 'The three worlds a member takes part in; reference data (DI-01)';
INSERT INTO discovery.servers (server_type, name, description, position) VALUES
    ('partner', 'Partner', 'For those who look for someone to share a life with.', 1),
    ('friend', 'Friend', 'For those who look for people to spend time with.', 2),
    ('growth', 'Growth', 'For those who look for people to learn and grow with.', 3);

CREATE TABLE discovery.server_memberships (
    user_id uuid NOT NULL,
    server_type text NOT NULL
        CONSTRAINT fk_server_memberships_server_type REFERENCES discovery.servers (server_type),
    joined_at timestamptz NOT NULL,
    first_batch_at timestamptz,
    CONSTRAINT pk_server_memberships PRIMARY KEY (user_id, server_type),
    CONSTRAINT ck_server_memberships_joined_before CHECK (first_batch_at >= joined_at)
);
CREATE INDEX ix_server_memberships_server_type ON discovery.server_memberships (server_type);
COMMENT ON TABLE discovery.server_memberships IS
    'Who has joined which server, and got a first batch there; that stays when the batch is forgotten (DI-01, DI-04)';

CREATE TABLE discovery.refresh_timers (
    user_id uuid NOT NULL CONSTRAINT pk_refresh_timers PRIMARY KEY,
    last_global_refresh_at timestamptz,
    refresh_available_at timestamptz,
    version bigint NOT NULL DEFAULT 0,
    CONSTRAINT ck_refresh_timers_times CHECK (
        (last_global_refresh_at IS NULL) = (refresh_available_at IS NULL)
        AND refresh_available_at >= last_global_refresh_at)
);
COMMENT ON TABLE discovery.refresh_timers IS
    'One timer for all servers; its lock guards all of a member''s Discovery (DI-04)';
"""

POOL = """
CREATE TABLE discovery.candidates (
    user_id uuid NOT NULL CONSTRAINT pk_candidates PRIMARY KEY,
    profile_version bigint NOT NULL DEFAULT 0,
    discovery_ready boolean NOT NULL DEFAULT false,
    gender text,
    age_band text,
    city text NOT NULL DEFAULT '',
    trust_level smallint NOT NULL DEFAULT 0,
    hobby_option_ids text[] NOT NULL DEFAULT '{}',
    hobbies jsonb NOT NULL DEFAULT '[]',
    inventory_version bigint NOT NULL DEFAULT 0,
    tier text NOT NULL DEFAULT 'free',
    active_connection_count smallint NOT NULL DEFAULT 0,
    connection_limit smallint NOT NULL DEFAULT 1,
    CONSTRAINT ck_candidates_gender CHECK (gender IN ('woman', 'man', 'non_binary')),
    CONSTRAINT ck_candidates_age_band CHECK (
        age_band IN ('18_24', '25_29', '30_34', '35_39', '40_49', '50_59', '60_plus')),
    CONSTRAINT ck_candidates_tier CHECK (tier IN ('free', 'plus', 'pro')),
    CONSTRAINT ck_candidates_ready_is_whole CHECK (
        NOT discovery_ready OR (gender IS NOT NULL AND age_band IS NOT NULL AND city <> ''
            AND trust_level BETWEEN 1 AND 5 AND cardinality(hobby_option_ids) >= 2)),
    CONSTRAINT ck_candidates_hobbies CHECK (jsonb_array_length(hobbies) = cardinality(hobby_option_ids))
);
COMMENT ON TABLE discovery.candidates IS
    'The pool: each member as identity and matching tell of them, at these versions (DI-08, DI-09)';

CREATE TABLE discovery.exclusions (
    source_id uuid NOT NULL,
    user_id uuid NOT NULL,
    other_id uuid NOT NULL,
    reason text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_exclusions PRIMARY KEY (source_id, user_id),
    CONSTRAINT ck_exclusions_two CHECK (user_id <> other_id),
    CONSTRAINT ck_exclusions_reason CHECK (reason IN ('interest_pending', 'connected', 'ended', 'lifted'))
);
CREATE INDEX ix_exclusions_user_id_other_id ON discovery.exclusions (user_id, other_id) WHERE reason <> 'lifted';
COMMENT ON TABLE discovery.exclusions IS
    'Who is not shown to whom, by the interest or connection that keeps them apart (DI-09)';
"""

# An empty list narrows nothing. A value that comes twice does no harm, and the length is bounded all the same.
FILTERS = """
CREATE TABLE discovery.filters (
    user_id uuid NOT NULL,
    server_type text NOT NULL CONSTRAINT fk_filters_server_type REFERENCES discovery.servers (server_type),
    genders text[] NOT NULL DEFAULT '{}',
    age_bands text[] NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_filters PRIMARY KEY (user_id, server_type),
    CONSTRAINT ck_filters_genders CHECK (
        genders <@ ARRAY['woman', 'man', 'non_binary'] AND cardinality(genders) <= 3),
    CONSTRAINT ck_filters_age_bands CHECK (
        age_bands <@ ARRAY['18_24', '25_29', '30_34', '35_39', '40_49', '50_59', '60_plus']
        AND cardinality(age_bands) <= 7)
);
COMMENT ON TABLE discovery.filters IS
    'Whom a member wants on the cards of a server, from the next refresh on; an empty list is anyone (DI-05)';
"""

BATCHES = """
CREATE TABLE discovery.discovery_batches (
    id uuid NOT NULL CONSTRAINT pk_discovery_batches PRIMARY KEY,
    user_id uuid NOT NULL,
    server_type text NOT NULL
        CONSTRAINT fk_discovery_batches_server_type REFERENCES discovery.servers (server_type),
    created_at timestamptz NOT NULL,
    deleted_at timestamptz
);
CREATE UNIQUE INDEX uq_discovery_batches_one_active
    ON discovery.discovery_batches (user_id, server_type) WHERE deleted_at IS NULL;
CREATE INDEX ix_discovery_batches_user_id_deleted_at ON discovery.discovery_batches (user_id, deleted_at);
CREATE INDEX ix_discovery_batches_deleted_at ON discovery.discovery_batches (deleted_at) WHERE deleted_at IS NOT NULL;
COMMENT ON TABLE discovery.discovery_batches IS
    'A member''s batches per server; one is active, until the next refresh (DI-03)';

CREATE TABLE discovery.discovery_cards (
    id uuid NOT NULL CONSTRAINT pk_discovery_cards PRIMARY KEY,
    batch_id uuid NOT NULL CONSTRAINT fk_discovery_cards_batch_id REFERENCES discovery.discovery_batches (id),
    position smallint NOT NULL,
    shown_user_id uuid NOT NULL,
    age_band text NOT NULL,
    city text NOT NULL,
    trust_level smallint NOT NULL,
    hobbies jsonb NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT uq_discovery_cards_batch_id_position UNIQUE (batch_id, position),
    CONSTRAINT uq_discovery_cards_batch_id_shown_user_id UNIQUE (batch_id, shown_user_id),
    CONSTRAINT ck_discovery_cards_position CHECK (position BETWEEN 1 AND 5),
    CONSTRAINT ck_discovery_cards_age_band CHECK (
        age_band IN ('18_24', '25_29', '30_34', '35_39', '40_49', '50_59', '60_plus')),
    CONSTRAINT ck_discovery_cards_trust_level CHECK (trust_level BETWEEN 1 AND 5),
    CONSTRAINT ck_discovery_cards_hobbies CHECK (jsonb_typeof(hobbies) = 'array')
);
COMMENT ON TABLE discovery.discovery_cards IS
    'Exactly five cards per batch, as they were when made: no photo, name, phone or age (DI-02, DI-08)';
"""

# Checked when the transaction ends: a batch and its cards cannot come in one row.
TRIGGERS = """
CREATE FUNCTION discovery.hold_five() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    batch uuid;
    active boolean;
    shown bigint;
BEGIN
    IF TG_TABLE_NAME = 'discovery_batches' THEN
        batch := NEW.id;
    ELSE
        batch := coalesce(NEW.batch_id, OLD.batch_id);
    END IF;
    SELECT b.deleted_at IS NULL INTO active FROM discovery.discovery_batches b WHERE b.id = batch;
    SELECT count(*) INTO shown FROM discovery.discovery_cards k WHERE k.batch_id = batch AND k.deleted_at IS NULL;
    IF shown <> (CASE WHEN active THEN 5 ELSE 0 END) THEN
        RAISE EXCEPTION 'a batch has exactly five cards while it is active, not %', shown
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_of_five';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER hold_five AFTER INSERT OR UPDATE ON discovery.discovery_batches
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION discovery.hold_five();
CREATE CONSTRAINT TRIGGER hold_five AFTER INSERT OR UPDATE OR DELETE ON discovery.discovery_cards
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION discovery.hold_five();

CREATE FUNCTION discovery.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a card stays as it was made'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'card_immutable';
END
$$;
CREATE TRIGGER refuse_change
    BEFORE UPDATE OF id, batch_id, position, shown_user_id, age_band, city, trust_level, hobbies
    ON discovery.discovery_cards FOR EACH STATEMENT EXECUTE FUNCTION discovery.refuse_change();

CREATE FUNCTION discovery.keep_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'there is one first batch in a server, ever'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'first_batch_once';
END
$$;
CREATE TRIGGER keep_first BEFORE UPDATE OF first_batch_at ON discovery.server_memberships FOR EACH ROW
    WHEN (OLD.first_batch_at IS NOT NULL AND NEW.first_batch_at IS DISTINCT FROM OLD.first_batch_at)
    EXECUTE FUNCTION discovery.keep_first();
"""


def upgrade() -> None:
    create_messaging_tables("discovery")
    run_sql(MEMBERS)
    run_sql(POOL)
    run_sql(FILTERS)
    run_sql(BATCHES)
    run_sql(TRIGGERS)
