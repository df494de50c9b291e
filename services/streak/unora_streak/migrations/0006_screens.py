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
CREATE TABLE streak.waiting_reveals (
    streak_id uuid NOT NULL,
    user_id uuid NOT NULL,
    reveal_number smallint NOT NULL,
    waiting boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_waiting_reveals PRIMARY KEY (streak_id, user_id, reveal_number),
    CONSTRAINT ck_waiting_reveals_reveal_number CHECK (reveal_number BETWEEN 1 AND 5)
);
COMMENT ON TABLE streak.waiting_reveals IS
    'A projection of reveal: members'' reveals that were earned or bought, and whether they wait to be opened (RE-11)';
"""

# A function, so that the dashboard pays for its plans only where it calls it. A recovery that the version before stored
# does not say whether it was free: it counts as free, so that none is promised that is not there.
USED = """
CREATE FUNCTION streak.used_by(of_streak uuid, of_cycle integer, of_date date, member uuid) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY[
        coalesce((SELECT tier FROM streak.tiers WHERE user_id = member), 'free'),
        (SELECT count(*)::text FROM streak.breaks b JOIN streak.nudges n ON n.break_id = b.id AND n.sender_id = member
            WHERE b.streak_id = of_streak AND b.cycle = of_cycle AND b.check_in_date = of_date
                AND n.payment_id IS NULL),
        (SELECT count(*)::text FROM streak.breaks b JOIN streak.recovery_payments p ON p.break_id = b.id
            WHERE b.streak_id = of_streak AND b.breaker_user_id = member AND b.outcome = 'recovered'
                AND p.free IS NOT FALSE)];
END
$$;
"""


def upgrade() -> None:
    run_sql(TOLD)
    run_sql(FREE)
    run_sql(REVEALS)
    run_sql(USED)
