"""What screens show: whether it was told that a day ends soon (ST-23), which recoveries were free (BI-06), and which
reveals wait to be opened (RE-11).
"""

from unora_common.messaging_schema import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# No rewriting: both defaults are constants. The days that are open at this moment count as told: their next step is
# stored already, and would be late for many.
TOLD = """
ALTER TABLE streak.streaks ADD COLUMN told_ends_soon boolean NOT NULL DEFAULT true;
ALTER TABLE streak.streaks ALTER COLUMN told_ends_soon SET DEFAULT false;
"""

# NULL: stored by a version that did not know.
FREE = "ALTER TABLE streak.recovery_payments ADD COLUMN free boolean;"

REVEALS = """
CREATE TABLE streak.reveals (
    streak_id uuid NOT NULL,
    user_id uuid NOT NULL,
    reveal_number smallint NOT NULL,
    waiting boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_reveals PRIMARY KEY (streak_id, user_id, reveal_number),
    CONSTRAINT ck_reveals_reveal_number CHECK (reveal_number BETWEEN 1 AND 5)
);
COMMENT ON TABLE streak.reveals IS
    'A projection of reveal: members'' reveals that were earned or bought, and whether they wait to be opened (RE-11)';
"""


def upgrade() -> None:
    run_sql(TOLD)
    run_sql(FREE)
    run_sql(REVEALS)
