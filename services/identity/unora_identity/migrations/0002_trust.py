"""Suspension, revocations, devices, and what verification needs (ID-04 to ID-07, PR-02, SA-04, SA-06)."""

from unora_common.messaging_schema import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STANDING = """
ALTER TABLE identity.users
    ADD COLUMN suspended_at timestamptz,
    ADD COLUMN standing_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN tier_version bigint NOT NULL DEFAULT 0;

ALTER TABLE identity.sessions ADD COLUMN device_digest bytea
    CONSTRAINT ck_sessions_device_digest CHECK (octet_length(device_digest) = 32);

CREATE TABLE identity.revocations (
    session_id uuid NOT NULL CONSTRAINT pk_revocations PRIMARY KEY,
    revoked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ix_revocations_revoked_at ON identity.revocations (revoked_at);
COMMENT ON TABLE identity.revocations IS
    'Sessions that every process has to know as revoked, while an access token of theirs may be alive (SA-06)';
"""

VERIFICATION = """
ALTER TABLE identity.verification_signals ADD COLUMN decided_at timestamptz
    CONSTRAINT ck_verification_signals_decided_at CHECK ((outcome = 'pending') = (decided_at IS NULL));
-- Nothing has written to the table before this version: there is nothing to hold up.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX uq_verification_signals_one_account
    ON identity.verification_signals (signal_type, provider, opaque_token)
    WHERE deleted_at IS NULL AND outcome = 'verified' AND signal_type <> 'booster';

COMMENT ON TABLE identity.verification_signals IS
    'A provider''s opaque token and its outcome, never a document (ID-05, ID-06)';

CREATE TABLE identity.gov_id_checks (
    id uuid NOT NULL CONSTRAINT pk_gov_id_checks PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_gov_id_checks_user_id REFERENCES identity.users (id),
    request_id uuid NOT NULL,
    provider text NOT NULL,
    profile_digest bytea NOT NULL,
    started_at timestamptz NOT NULL,
    outcome text,
    decided_at timestamptz,
    CONSTRAINT uq_gov_id_checks_user_id_request_id UNIQUE (user_id, request_id),
    CONSTRAINT ck_gov_id_checks_profile_digest CHECK (octet_length(profile_digest) = 32),
    CONSTRAINT ck_gov_id_checks_outcome CHECK (outcome IN ('verified', 'refused')),
    CONSTRAINT ck_gov_id_checks_decided_at CHECK ((outcome IS NULL) = (decided_at IS NULL))
);
COMMENT ON TABLE identity.gov_id_checks IS
    'Checks of a Gov ID that a provider was asked for, by their reference, and how they came out (ID-06)';

CREATE FUNCTION identity.gov_id_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.name, NEW.date_of_birth, NEW.gender) IS DISTINCT FROM (OLD.name, OLD.date_of_birth, OLD.gender)
        AND EXISTS (
            SELECT FROM identity.verification_signals s
            WHERE s.user_id = NEW.user_id AND s.signal_type = 'gov_id' AND s.outcome = 'verified'
                AND s.deleted_at IS NULL)
    THEN
        RAISE EXCEPTION 'a verified Gov ID locks name, date of birth and gender'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'gov_id_lock';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER gov_id_lock BEFORE UPDATE ON identity.profiles FOR EACH ROW EXECUTE FUNCTION identity.gov_id_lock();
"""

PHOTOS = """
ALTER TABLE identity.photo_uploads ADD COLUMN replaces_photo_id uuid;
"""


def upgrade() -> None:
    run_sql(STANDING)
    run_sql(VERIFICATION)
    run_sql(PHOTOS)
