"""Standings, cases, reports, appeals, flags and what they are counted from (SA-03 to SA-09)."""

from unora_common.messaging_schema import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Blocks are few and no call waits for this: the index is made in place.
BLOCKS = """
CREATE INDEX ix_blocks_of_blocked ON safety.blocks (blocked_id) WHERE deleted_at IS NULL;
"""

CASES = """
CREATE TABLE safety.restrictions (
    user_id uuid NOT NULL CONSTRAINT pk_restrictions PRIMARY KEY,
    reduced_visibility boolean NOT NULL DEFAULT false,
    restricted boolean NOT NULL DEFAULT false,
    suspended boolean NOT NULL DEFAULT false,
    version bigint NOT NULL DEFAULT 0,
    changed_at timestamptz,
    CONSTRAINT ck_restrictions_version CHECK (version >= 0)
);
COMMENT ON TABLE safety.restrictions IS
    'Standing of each member whom a case was ever about; its row is the lock of all that concerns them (SA-03)';

CREATE TABLE safety.cases (
    id uuid NOT NULL CONSTRAINT pk_cases PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_cases_user_id REFERENCES safety.restrictions (user_id),
    origin text NOT NULL,
    case_status text NOT NULL,
    appealed boolean NOT NULL,
    moderator_id uuid,
    decision text,
    note text NOT NULL DEFAULT '',
    opened_at timestamptz NOT NULL,
    assigned_at timestamptz,
    decided_at timestamptz,
    version bigint NOT NULL,
    CONSTRAINT ck_cases_origin CHECK (origin IN ('flag', 'report', 'appeal')),
    CONSTRAINT ck_cases_case_status CHECK (case_status IN ('open', 'assigned', 'decided')),
    CONSTRAINT ck_cases_assigned CHECK (
        num_nonnulls(moderator_id, assigned_at) = CASE case_status WHEN 'open' THEN 0 ELSE 2 END),
    CONSTRAINT ck_cases_decided CHECK (
        num_nonnulls(decision, decided_at) = CASE case_status WHEN 'decided' THEN 2 ELSE 0 END),
    CONSTRAINT ck_cases_decision CHECK (decision IN ('dismiss', 'reduce_visibility', 'restrict', 'suspend')),
    CONSTRAINT ck_cases_moderator CHECK (moderator_id <> user_id)
);
CREATE UNIQUE INDEX uq_cases_one_undecided ON safety.cases (user_id) WHERE case_status <> 'decided';
CREATE INDEX ix_cases_queue ON safety.cases (opened_at, id);
CREATE INDEX ix_cases_queue_by_status ON safety.cases (case_status, opened_at, id);
CREATE INDEX ix_cases_of_user ON safety.cases (user_id, opened_at);
COMMENT ON TABLE safety.cases IS 'The moderators'' queue: at most one undecided case a member (SA-05)';

CREATE TABLE safety.reports (
    id uuid NOT NULL CONSTRAINT pk_reports PRIMARY KEY,
    reporter_id uuid NOT NULL,
    reported_id uuid NOT NULL,
    target_kind text NOT NULL,
    target_id uuid NOT NULL,
    category text NOT NULL,
    note text NOT NULL,
    case_id uuid NOT NULL CONSTRAINT fk_reports_case_id REFERENCES safety.cases (id),
    reported_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT ck_reports_two_members CHECK (reporter_id <> reported_id),
    CONSTRAINT ck_reports_target_kind CHECK (target_kind IN ('card', 'connection')),
    CONSTRAINT ck_reports_category CHECK (
        category IN ('harassment', 'sexual_content', 'impersonation', 'scam', 'under_age', 'other')),
    CONSTRAINT ck_reports_note CHECK (char_length(note) <= 1000)
);
CREATE INDEX ix_reports_of_reported ON safety.reports (reported_id, reported_at);
CREATE INDEX ix_reports_of_reporter ON safety.reports (reporter_id, reported_at);
CREATE INDEX ix_reports_case_id ON safety.reports (case_id);
COMMENT ON TABLE safety.reports IS 'User-submitted safety reports; the author is never told to the reported (SA-07)';

CREATE TABLE safety.appeals (
    id uuid NOT NULL CONSTRAINT pk_appeals PRIMARY KEY,
    user_id uuid NOT NULL,
    case_id uuid NOT NULL CONSTRAINT fk_appeals_case_id REFERENCES safety.cases (id),
    text text NOT NULL,
    submitted_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT ck_appeals_text CHECK (char_length(text) BETWEEN 1 AND 4000)
);
CREATE INDEX ix_appeals_of_user ON safety.appeals (user_id, submitted_at);
CREATE INDEX ix_appeals_case_id ON safety.appeals (case_id);
COMMENT ON TABLE safety.appeals IS 'What members asked the moderators to look at again (SA-06)';
"""

FLAGS = """
CREATE TABLE safety.flag_rules (
    pattern text NOT NULL CONSTRAINT pk_flag_rules PRIMARY KEY,
    threshold double precision NOT NULL,
    window_hours integer NOT NULL,
    enabled boolean NOT NULL,
    CONSTRAINT ck_flag_rules_pattern CHECK (
        pattern IN ('interest_flood', 'bad_faith_endings', 'many_blocks', 'many_reports', 'shared_device',
                    'payment_abuse', 'outlier')),
    CONSTRAINT ck_flag_rules_threshold CHECK (threshold > 0),
    CONSTRAINT ck_flag_rules_window_hours CHECK (window_hours BETWEEN 1 AND 8784)
);
COMMENT ON TABLE safety.flag_rules IS 'From how many on within which time a pattern raises a flag (SA-04)';
INSERT INTO safety.flag_rules (pattern, threshold, window_hours, enabled) VALUES
    ('interest_flood', 12, 1, true),
    ('bad_faith_endings', 2, 2160, true),
    ('many_blocks', 5, 720, true),
    ('many_reports', 3, 720, true),
    ('shared_device', 2, 720, true),
    ('payment_abuse', 5, 24, true),
    ('outlier', 6, 168, true);

CREATE TABLE safety.safety_flags (
    id uuid NOT NULL CONSTRAINT pk_safety_flags PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_safety_flags_user_id REFERENCES safety.restrictions (user_id),
    pattern text NOT NULL CONSTRAINT fk_safety_flags_pattern REFERENCES safety.flag_rules (pattern),
    flag_status text NOT NULL,
    score double precision NOT NULL,
    evidence jsonb NOT NULL,
    case_id uuid NOT NULL CONSTRAINT fk_safety_flags_case_id REFERENCES safety.cases (id),
    raised_at timestamptz NOT NULL,
    closed_at timestamptz,
    version bigint NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT ck_safety_flags_flag_status CHECK (flag_status IN ('open', 'closed')),
    CONSTRAINT ck_safety_flags_closed CHECK (num_nonnulls(closed_at) = CASE flag_status WHEN 'closed' THEN 1 ELSE 0 END)
);
CREATE UNIQUE INDEX uq_safety_flags_one_open ON safety.safety_flags (user_id, pattern)
    WHERE flag_status = 'open' AND deleted_at IS NULL;
CREATE INDEX ix_safety_flags_of_user ON safety.safety_flags (user_id, raised_at);
CREATE INDEX ix_safety_flags_raised_at ON safety.safety_flags (raised_at, id);
CREATE INDEX ix_safety_flags_open ON safety.safety_flags (raised_at, id) WHERE flag_status = 'open';
CREATE INDEX ix_safety_flags_case_id ON safety.safety_flags (case_id);
COMMENT ON TABLE safety.safety_flags IS 'Suspicious patterns with their evidence; never shown to users (SA-02, SA-04)';
"""

COUNTED = """
CREATE TABLE safety.sightings (
    pattern text NOT NULL CONSTRAINT fk_sightings_pattern REFERENCES safety.flag_rules (pattern),
    user_id uuid NOT NULL,
    key uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    CONSTRAINT pk_sightings PRIMARY KEY (pattern, user_id, key)
);
CREATE INDEX ix_sightings_user_id ON safety.sightings (user_id);
CREATE INDEX ix_sightings_occurred_at ON safety.sightings (pattern, occurred_at);
COMMENT ON TABLE safety.sightings IS
    'What patterns are counted from: each distinct thing or person once, at its latest (SA-04)';

CREATE TABLE safety.device_accounts (
    device_digest bytea NOT NULL,
    user_id uuid NOT NULL,
    seen_at timestamptz NOT NULL,
    CONSTRAINT pk_device_accounts PRIMARY KEY (device_digest, user_id),
    CONSTRAINT ck_device_accounts_device_digest CHECK (octet_length(device_digest) BETWEEN 1 AND 64)
);
CREATE INDEX ix_device_accounts_seen_at ON safety.device_accounts (seen_at);
COMMENT ON TABLE safety.device_accounts IS 'Which accounts opened a session on a device, by its keyed hash (SA-04)';

CREATE TABLE safety.activity (
    user_id uuid NOT NULL,
    kind text NOT NULL,
    day date NOT NULL,
    count integer NOT NULL,
    CONSTRAINT pk_activity PRIMARY KEY (user_id, kind, day),
    CONSTRAINT ck_activity_kind CHECK (kind IN ('interests', 'endings', 'blocks', 'reports', 'failed_payments')),
    CONSTRAINT ck_activity_count CHECK (count > 0)
);
CREATE INDEX ix_activity_day ON safety.activity (day);
COMMENT ON TABLE safety.activity IS 'How much of what each member did, by day (UTC), for outliers (SA-09)';

CREATE TABLE safety.baselines (
    kind text NOT NULL CONSTRAINT pk_baselines PRIMARY KEY,
    members bigint NOT NULL,
    median double precision NOT NULL,
    deviation double precision NOT NULL,
    measured_at timestamptz NOT NULL
);
COMMENT ON TABLE safety.baselines IS 'What is usual: of ln(1 + count) over the outlier rule''s window (SA-09)';

CREATE TABLE safety.to_examine (
    user_id uuid NOT NULL CONSTRAINT pk_to_examine PRIMARY KEY,
    marks bigint NOT NULL,
    taken_until timestamptz NOT NULL
);
CREATE INDEX ix_to_examine_taken_until ON safety.to_examine (taken_until);
COMMENT ON TABLE safety.to_examine IS 'Members of whom something new was seen, until the detector has looked (SA-04)';
"""

TRIGGERS = """
CREATE FUNCTION safety.keep_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.case_status = 'decided'
        OR (OLD.case_status = 'assigned' AND NEW.case_status = 'open')
        OR (OLD.case_status = 'open' AND NEW.case_status = 'decided')
        OR (NEW.id, NEW.user_id, NEW.origin, NEW.opened_at) <> (OLD.id, OLD.user_id, OLD.origin, OLD.opened_at)
        OR NEW.version < OLD.version THEN
        RAISE EXCEPTION 'a case goes from open to assigned to decided, and a decided one stays as it is'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_forward';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_case BEFORE UPDATE ON safety.cases FOR EACH ROW EXECUTE FUNCTION safety.keep_case();

CREATE FUNCTION safety.keep_flag() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.flag_status = 'closed' AND NEW.deleted_at IS NOT DISTINCT FROM OLD.deleted_at)
        OR to_jsonb(NEW) - '{flag_status,closed_at,version,deleted_at}'::text[]
            <> to_jsonb(OLD) - '{flag_status,closed_at,version,deleted_at}'::text[] THEN
        RAISE EXCEPTION 'a flag keeps its evidence, and closes once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'flag_closed_once';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_flag BEFORE UPDATE ON safety.safety_flags FOR EACH ROW EXECUTE FUNCTION safety.keep_flag();

CREATE FUNCTION safety.keep_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'deleted_at' <> to_jsonb(OLD) - 'deleted_at' THEN
        RAISE EXCEPTION 'what a member said stays as it was said'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'statement_unchanged';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_statement BEFORE UPDATE ON safety.reports
    FOR EACH ROW EXECUTE FUNCTION safety.keep_statement();
CREATE TRIGGER keep_statement BEFORE UPDATE ON safety.appeals
    FOR EACH ROW EXECUTE FUNCTION safety.keep_statement();
"""


def upgrade() -> None:
    for script in (BLOCKS, CASES, FLAGS, COUNTED, TRIGGERS):
        run_sql(script)
