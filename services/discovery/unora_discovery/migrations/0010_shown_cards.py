"""What partners see of each other (DI-15), which cards have an interest, and cards that lists still show (DI-16)."""

from unora_common.messaging_schema import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PARTNER_CARDS = """
CREATE TABLE discovery.partner_cards (
    connection_id uuid NOT NULL,
    viewer_id uuid NOT NULL,
    shown_user_id uuid NOT NULL,
    version bigint NOT NULL,
    active boolean NOT NULL,
    profile_version bigint NOT NULL,
    age_band text,
    city text NOT NULL,
    place_id text NOT NULL,
    trust_level smallint NOT NULL,
    hobbies jsonb NOT NULL,
    CONSTRAINT pk_partner_cards PRIMARY KEY (connection_id, viewer_id),
    CONSTRAINT ck_partner_cards_two CHECK (viewer_id <> shown_user_id),
    CONSTRAINT ck_partner_cards_age_band CHECK (
        age_band IN ('18_24', '25_29', '30_34', '35_39', '40_49', '50_59', '60_plus')),
    CONSTRAINT ck_partner_cards_hobbies CHECK (jsonb_typeof(hobbies) = 'array')
);
CREATE INDEX ix_partner_cards_viewer_id ON discovery.partner_cards (viewer_id) WHERE active;
COMMENT ON TABLE discovery.partner_cards IS
    'Each member of a connection as the other saw them when it formed; a fact of discovery''s own (DI-15, DI-16)';
"""

# What a card showed is written once.
FROZEN = """
CREATE FUNCTION discovery.hold_partner_card() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'version' - 'active' <> to_jsonb(OLD) - 'version' - 'active' THEN
        RAISE EXCEPTION 'the card of a partner stays as it was when the connection formed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'partner_card_frozen';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_partner_card BEFORE UPDATE ON discovery.partner_cards
    FOR EACH ROW EXECUTE FUNCTION discovery.hold_partner_card();
"""

# The connections of before: both directions have an exclusion of the connection, interests have one. What was shown
# when they formed is not known any more: what is known now is frozen.
FILL = """
INSERT INTO discovery.partner_cards (
    connection_id, viewer_id, shown_user_id, version, active, profile_version, age_band, city, place_id, trust_level,
    hobbies)
SELECT e.source_id, e.user_id, e.other_id, e.version, e.reason = 'connected', coalesce(c.profile_version, 0),
    c.age_band, coalesce(c.city, ''), coalesce(c.place_id, ''), coalesce(c.trust_level, 0),
    coalesce((
        SELECT jsonb_agg(h || jsonb_build_object('shared', coalesce(
            h ->> 'hobby_option_id' = ANY (v.hobby_option_ids), false)) ORDER BY n)
        FROM jsonb_array_elements(c.hobbies) WITH ORDINALITY AS each (h, n)), '[]')
FROM discovery.exclusions e
JOIN discovery.exclusions back ON back.source_id = e.source_id AND back.user_id = e.other_id
LEFT JOIN discovery.candidates c ON c.user_id = e.other_id
LEFT JOIN discovery.candidates v ON v.user_id = e.user_id
WHERE e.reason IN ('connected', 'ended')
ON CONFLICT (connection_id, viewer_id) DO NOTHING;
"""

CARDS = """
CREATE TABLE discovery.card_interests (
    interest_id uuid NOT NULL CONSTRAINT pk_card_interests PRIMARY KEY,
    card_id uuid NOT NULL,
    version bigint NOT NULL,
    sent boolean NOT NULL,
    over_at timestamptz,
    CONSTRAINT ck_card_interests_over CHECK (sent = (over_at IS NULL))
);
CREATE INDEX ix_card_interests_card_id ON discovery.card_interests (card_id);
CREATE INDEX ix_card_interests_over_at ON discovery.card_interests (over_at) WHERE over_at IS NOT NULL;
COMMENT ON TABLE discovery.card_interests IS
    'The card of each interest, and whether it looks sent to its sender, as matching tells (DI-16)';

CREATE TABLE discovery.kept_cards (
    id uuid NOT NULL CONSTRAINT pk_kept_cards PRIMARY KEY,
    viewer_id uuid NOT NULL,
    shown_user_id uuid NOT NULL,
    profile_version bigint NOT NULL,
    age_band text NOT NULL,
    city text NOT NULL,
    place_id text NOT NULL,
    trust_level smallint NOT NULL,
    hobbies jsonb NOT NULL,
    check_at timestamptz NOT NULL,
    CONSTRAINT ck_kept_cards_age_band CHECK (
        age_band IN ('18_24', '25_29', '30_34', '35_39', '40_49', '50_59', '60_plus')),
    CONSTRAINT ck_kept_cards_hobbies CHECK (jsonb_typeof(hobbies) = 'array')
);
CREATE INDEX ix_kept_cards_check_at ON discovery.kept_cards (check_at);
COMMENT ON TABLE discovery.kept_cards IS
    'Cards of purged batches, while an interest or a block on them is listed; times are the machine''s (DI-16)';
"""


def upgrade() -> None:
    run_sql(PARTNER_CARDS)
    run_sql(FILL)
    run_sql(FROZEN)
    run_sql(CARDS)
