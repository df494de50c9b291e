"""Leaving, filters that members set, tiers, standing, blocks, interests that wait (DI-01, DI-05, DI-09 to DI-14)."""

from unora_common.messaging_schema import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MEMBERS = """
ALTER TABLE discovery.server_memberships ADD COLUMN left_at timestamptz
    CONSTRAINT ck_server_memberships_left_after CHECK (left_at >= joined_at);

ALTER TABLE discovery.filters
    ADD COLUMN min_age smallint NOT NULL DEFAULT 18 CONSTRAINT ck_filters_min_age CHECK (min_age BETWEEN 18 AND 99),
    ADD COLUMN max_age smallint NOT NULL DEFAULT 99
        CONSTRAINT ck_filters_max_age CHECK (max_age BETWEEN min_age AND 99),
    ADD COLUMN same_city_only boolean NOT NULL DEFAULT false;

ALTER TABLE discovery.candidates
    ADD COLUMN tier_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN restriction_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN reduced_visibility boolean NOT NULL DEFAULT false,
    ADD COLUMN restricted boolean NOT NULL DEFAULT false,
    ADD COLUMN suspended boolean NOT NULL DEFAULT false;
COMMENT ON TABLE discovery.candidates IS
    'The pool: each member as identity, matching, billing and safety tell of them, at these versions (DI-08, DI-09)';
"""

# What keeps a sender from the cards of a receiver stays in `exclusions`; what brings a sender onto the receiver's cards
# is apart from it, so that the one can end without the other.
PAIRS = """
ALTER TABLE discovery.exclusions ADD COLUMN apart_until timestamptz;

CREATE TABLE discovery.waiting_interests (
    interest_id uuid NOT NULL CONSTRAINT pk_waiting_interests PRIMARY KEY,
    version bigint NOT NULL,
    sender_id uuid NOT NULL,
    receiver_id uuid NOT NULL,
    server_type text NOT NULL
        CONSTRAINT fk_waiting_interests_server_type REFERENCES discovery.servers (server_type),
    waits boolean NOT NULL,
    waits_until timestamptz NOT NULL,
    CONSTRAINT ck_waiting_interests_two CHECK (sender_id <> receiver_id)
);
CREATE INDEX ix_waiting_interests_receiver_id_server_type
    ON discovery.waiting_interests (receiver_id, server_type) WHERE waits;
CREATE INDEX ix_waiting_interests_waits_until ON discovery.waiting_interests (waits_until);
COMMENT ON TABLE discovery.waiting_interests IS
    'Interests, and whether they still wait for their receiver; no other context may know (DI-13, MA-10)';

CREATE TABLE discovery.member_blocks (
    blocker_id uuid NOT NULL,
    blocked_id uuid NOT NULL,
    in_force boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_member_blocks PRIMARY KEY (blocker_id, blocked_id),
    CONSTRAINT ck_member_blocks_two CHECK (blocker_id <> blocked_id)
);
CREATE INDEX ix_member_blocks_blocked_id ON discovery.member_blocks (blocked_id) WHERE in_force;
COMMENT ON TABLE discovery.member_blocks IS
    'Who blocks whom, as safety told last; in force, neither is shown to the other (DI-09)';
"""


def upgrade() -> None:
    run_sql(MEMBERS)
    run_sql(PAIRS)
