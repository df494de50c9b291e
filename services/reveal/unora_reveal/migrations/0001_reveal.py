"""Milestones, pairs, reveals and their contents, with RE-04, RE-10 and RE-11 held by the database itself."""

from unora_common.messaging_schema import create_messaging_tables, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE reveal.reveal_milestones (
    tier text NOT NULL,
    reveal_number smallint NOT NULL,
    reveal_day_required smallint,
    CONSTRAINT pk_reveal_milestones PRIMARY KEY (tier, reveal_number),
    CONSTRAINT ck_reveal_milestones_tier CHECK (tier IN ('free', 'plus', 'pro')),
    CONSTRAINT ck_reveal_milestones_reveal_number CHECK (reveal_number BETWEEN 1 AND 5),
    CONSTRAINT ck_reveal_milestones_reveal_day_required CHECK (reveal_day_required BETWEEN 1 AND 15),
    CONSTRAINT ck_reveal_milestones_identity_is_day_15 CHECK (
        reveal_number < 5 OR (reveal_day_required = 15 AND reveal_day_required IS NOT NULL))
);
COMMENT ON TABLE reveal.reveal_milestones IS
    'The day that each reveal needs, by tier; null where it is not earned by days (RE-02, RE-11)';

CREATE TABLE reveal.pairs (
    connection_id uuid NOT NULL CONSTRAINT pk_pairs PRIMARY KEY,
    streak_id uuid CONSTRAINT uq_pairs_streak_id UNIQUE,
    user_a_id uuid NOT NULL,
    user_b_id uuid NOT NULL,
    completed_days smallint NOT NULL,
    ended_at timestamptz,
    CONSTRAINT ck_pairs_pair_ordered CHECK (user_a_id < user_b_id),
    CONSTRAINT ck_pairs_completed_days CHECK (completed_days BETWEEN 0 AND 15)
);
COMMENT ON TABLE reveal.pairs IS
    'The most days a connection''s streak has reached, and whether it has ended: a tombstone (RE-08, RE-10). '
    'Its row''s lock guards all reveals of the two';

CREATE TABLE reveal.progressions (
    streak_id uuid NOT NULL CONSTRAINT fk_progressions_streak_id REFERENCES reveal.pairs (streak_id),
    user_id uuid NOT NULL,
    tier text NOT NULL DEFAULT 'free',
    CONSTRAINT pk_progressions PRIMARY KEY (streak_id, user_id),
    CONSTRAINT ck_progressions_tier CHECK (tier IN ('free', 'plus', 'pro'))
);
COMMENT ON TABLE reveal.progressions IS 'By whose milestones each of the two earns: their own tier''s alone (RE-03)';

CREATE TABLE reveal.reveals (
    id uuid NOT NULL CONSTRAINT pk_reveals PRIMARY KEY,
    streak_id uuid NOT NULL,
    connection_id uuid NOT NULL CONSTRAINT fk_reveals_connection_id REFERENCES reveal.pairs (connection_id),
    user_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    reveal_number smallint NOT NULL,
    reveal_status text NOT NULL DEFAULT 'locked',
    completed_days smallint NOT NULL DEFAULT 0,
    unlocked_at timestamptz,
    version bigint NOT NULL DEFAULT 0,
    deleted_at timestamptz,
    CONSTRAINT uq_reveals_streak_id_user_id_reveal_number UNIQUE (streak_id, user_id, reveal_number),
    CONSTRAINT uq_reveals_id_reveal_number UNIQUE (id, reveal_number),
    CONSTRAINT fk_reveals_streak_id_user_id FOREIGN KEY (streak_id, user_id)
        REFERENCES reveal.progressions (streak_id, user_id),
    CONSTRAINT ck_reveals_two_people CHECK (user_id <> partner_id),
    CONSTRAINT ck_reveals_reveal_number CHECK (reveal_number BETWEEN 1 AND 5),
    CONSTRAINT ck_reveals_reveal_status CHECK (reveal_status IN ('locked', 'earned', 'purchased', 'unlocked')),
    CONSTRAINT ck_reveals_completed_days CHECK (completed_days BETWEEN 0 AND 15),
    CONSTRAINT ck_reveals_identity_needs_day_15 CHECK (
        reveal_number < 5 OR reveal_status = 'locked' OR (reveal_status <> 'purchased' AND completed_days = 15)),
    CONSTRAINT ck_reveals_unlocked_at CHECK ((reveal_status = 'unlocked') = (unlocked_at IS NOT NULL))
);
COMMENT ON TABLE reveal.reveals IS
    'Five of each member of a streak (RE-01); completed_days is what was reached when it was earned or bought';

CREATE TABLE reveal.reveal_contents (
    reveal_id uuid NOT NULL CONSTRAINT pk_reveal_contents PRIMARY KEY,
    reveal_number smallint NOT NULL,
    content_json jsonb,
    photo_ids uuid[],
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT fk_reveal_contents_reveal_id_reveal_number FOREIGN KEY (reveal_id, reveal_number)
        REFERENCES reveal.reveals (id, reveal_number),
    CONSTRAINT ck_reveal_contents_identity_is_never_stored CHECK (
        (reveal_number = 5) = (content_json IS NULL) AND (reveal_number = 5) = (photo_ids IS NOT NULL)),
    CONSTRAINT ck_reveal_contents_content_json CHECK (
        content_json IS NULL
        OR (jsonb_typeof(content_json) = 'object' AND content_json ?& ARRAY['title', 'text']
            AND content_json - 'title' - 'text' = '{}'
            AND jsonb_typeof(content_json -> 'title') = 'string'
            AND jsonb_typeof(content_json -> 'text') = 'string'))
);
COMMENT ON TABLE reveal.reveal_contents IS
    'The framed text of reveals 1 to 4, as it was first given (RE-09); of reveal 5 only which photos it showed (RE-12)';
"""

MILESTONES = """
INSERT INTO reveal.reveal_milestones (tier, reveal_number, reveal_day_required) VALUES
    ('free', 1, 5), ('free', 2, 10), ('free', 3, NULL), ('free', 4, NULL), ('free', 5, 15),
    ('plus', 1, 4), ('plus', 2, 8), ('plus', 3, 12), ('plus', 4, NULL), ('plus', 5, 15),
    ('pro', 1, 3), ('pro', 2, 6), ('pro', 3, 9), ('pro', 4, 12), ('pro', 5, 15);
REVOKE INSERT, UPDATE, DELETE ON reveal.reveal_milestones FROM unora_reveal;
"""

TRIGGERS = """
CREATE FUNCTION reveal.refuse(rule text, message text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', message USING ERRCODE = 'check_violation', CONSTRAINT = rule;
END
$$;

-- RE-08, RE-10: what was reached stays reached, and what has ended stays ended.
CREATE FUNCTION reveal.hold_pair() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM reveal.refuse('pair_kept', 'a pair is never removed: it may be a tombstone');
    END IF;
    IF (OLD.connection_id, OLD.user_a_id, OLD.user_b_id) IS DISTINCT FROM
       (NEW.connection_id, NEW.user_a_id, NEW.user_b_id)
       OR (OLD.streak_id IS NOT NULL AND OLD.streak_id IS DISTINCT FROM NEW.streak_id) THEN
        PERFORM reveal.refuse('pair_fixed', 'a pair stays the pair it is');
    END IF;
    IF OLD.ended_at IS NOT NULL
       AND (OLD.ended_at IS DISTINCT FROM NEW.ended_at OR OLD.completed_days <> NEW.completed_days) THEN
        PERFORM reveal.refuse('pair_ended', 'nothing moves after the end of a connection');
    END IF;
    IF NEW.completed_days < OLD.completed_days THEN
        PERFORM reveal.refuse('pair_days_fall', 'days that were reached are never lost');
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_pair BEFORE UPDATE OR DELETE ON reveal.pairs
    FOR EACH ROW EXECUTE FUNCTION reveal.hold_pair();

-- RE-04, RE-10, RE-11: single steps only, earned by the member's own tier and the days of the pair, and none after the
-- end. The pair's row is locked, so that a step and an end cannot miss each other.
CREATE FUNCTION reveal.hold_reveal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    pair reveal.pairs;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.reveal_status <> 'locked' THEN
            PERFORM reveal.refuse('reveal_transition', 'a reveal begins locked');
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.id, OLD.streak_id, OLD.connection_id, OLD.user_id, OLD.partner_id, OLD.reveal_number)
       IS DISTINCT FROM (NEW.id, NEW.streak_id, NEW.connection_id, NEW.user_id, NEW.partner_id, NEW.reveal_number) THEN
        PERFORM reveal.refuse('reveal_fixed', 'a reveal stays whose it is');
    END IF;
    IF OLD.reveal_status = NEW.reveal_status THEN
        IF (OLD.completed_days, OLD.unlocked_at) IS DISTINCT FROM (NEW.completed_days, NEW.unlocked_at) THEN
            PERFORM reveal.refuse('reveal_fixed', 'when a reveal was earned and opened never changes');
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.reveal_status, NEW.reveal_status) NOT IN (
        ('locked', 'earned'), ('locked', 'purchased'), ('earned', 'unlocked'), ('purchased', 'unlocked')) THEN
        PERFORM reveal.refuse('reveal_transition',
            format('a reveal cannot go from %s to %s', OLD.reveal_status, NEW.reveal_status));
    END IF;
    SELECT * INTO pair FROM reveal.pairs WHERE connection_id = NEW.connection_id FOR UPDATE;
    IF pair.ended_at IS NOT NULL THEN
        PERFORM reveal.refuse('reveal_after_end', 'nothing is earned or opened after the end of a connection');
    END IF;
    IF OLD.reveal_status <> 'locked' THEN
        IF NEW.completed_days <> OLD.completed_days THEN
            PERFORM reveal.refuse('reveal_fixed', 'the days at which a reveal was earned never change');
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.completed_days > pair.completed_days THEN
        PERFORM reveal.refuse('reveal_unearned', 'the pair has not reached these days');
    END IF;
    IF NEW.reveal_status = 'earned' AND NOT EXISTS (
        SELECT FROM reveal.progressions p JOIN reveal.reveal_milestones m USING (tier)
        WHERE p.streak_id = NEW.streak_id AND p.user_id = NEW.user_id AND m.reveal_number = NEW.reveal_number
          AND m.reveal_day_required <= NEW.completed_days) THEN
        PERFORM reveal.refuse('reveal_unearned', 'the member''s tier does not earn this reveal at these days');
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_reveal BEFORE INSERT OR UPDATE ON reveal.reveals
    FOR EACH ROW EXECUTE FUNCTION reveal.hold_reveal();

-- RE-09: a text that was given is not changed, and none is made for a reveal that is not open.
CREATE FUNCTION reveal.hold_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT FROM reveal.reveals WHERE id = NEW.reveal_id AND reveal_status = 'unlocked') THEN
            PERFORM reveal.refuse('content_of_unlocked', 'only an unlocked reveal has content');
        END IF;
    ELSIF (OLD.reveal_id, OLD.reveal_number, OLD.content_json, OLD.created_at)
          IS DISTINCT FROM (NEW.reveal_id, NEW.reveal_number, NEW.content_json, NEW.created_at)
          OR NOT coalesce(NEW.photo_ids @> OLD.photo_ids, true) THEN
        PERFORM reveal.refuse('content_fixed', 'what was given stays as it was given');
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_content BEFORE INSERT OR UPDATE ON reveal.reveal_contents
    FOR EACH ROW EXECUTE FUNCTION reveal.hold_content();
"""


def upgrade() -> None:
    create_messaging_tables("reveal")
    run_sql(TABLES)
    run_sql(MILESTONES)
    run_sql(TRIGGERS)
