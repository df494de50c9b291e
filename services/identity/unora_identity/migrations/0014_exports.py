"""Exports of members' own data, and the claims under which jobs make their archives (ID-10)."""

from unora_common.messaging_schema import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

EXPORTS = """
CREATE TABLE identity.exports (
    id uuid NOT NULL CONSTRAINT pk_exports PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_exports_user_id REFERENCES identity.users (id),
    session_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'making' CONSTRAINT ck_exports_state CHECK (state IN ('making', 'ready', 'failed')),
    steps_done smallint NOT NULL DEFAULT 0 CONSTRAINT ck_exports_steps_done CHECK (steps_done >= 0),
    size bigint NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    claimed_until timestamptz,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ready_at timestamptz,
    kept_until timestamptz NOT NULL,
    CONSTRAINT ck_exports_ready CHECK ((state = 'ready') = (ready_at IS NOT NULL) AND (state = 'ready') = (size > 0))
);
CREATE UNIQUE INDEX uq_exports_one_making ON identity.exports (user_id) WHERE state = 'making';
CREATE INDEX ix_exports_user_id_requested_at ON identity.exports (user_id, requested_at);
CREATE INDEX ix_exports_making ON identity.exports (requested_at) WHERE state = 'making';
CREATE INDEX ix_exports_kept_until ON identity.exports (kept_until);
COMMENT ON TABLE identity.exports IS
    'Archives that members asked for of their own data; times are the machine''s (ID-10)';
"""


def upgrade() -> None:
    run_sql(EXPORTS)
