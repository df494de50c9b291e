"""The same guards of streaks at a lower price: an update calls no function unless it breaks a rule (ST-02, ST-16)."""

from unora_common.messaging_schema import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The functions' own conditions stay: they say which rule is broken. Each WHEN is the condition under which its function
# refuses the row, so the function runs only then.
GUARDS = """
DROP TRIGGER hold_transition ON streak.streaks;
CREATE TRIGGER hold_transition BEFORE UPDATE OF streak_state ON streak.streaks
    FOR EACH ROW WHEN (OLD.streak_state IS DISTINCT FROM NEW.streak_state AND (
        (OLD.streak_state, NEW.streak_state) NOT IN (
            ('active', 'at_risk'), ('active', 'reset'), ('active', 'completed'), ('active', 'terminated'),
            ('at_risk', 'active'), ('at_risk', 'payment_window'), ('at_risk', 'completed'), ('at_risk', 'terminated'),
            ('payment_window', 'active'), ('payment_window', 'reset'), ('payment_window', 'terminated'),
            ('reset', 'active'), ('reset', 'terminated'))) IS NOT FALSE)
    EXECUTE FUNCTION streak.hold_transition();
DROP TRIGGER hold_facts ON streak.streaks;
CREATE TRIGGER hold_facts BEFORE UPDATE ON streak.streaks
    FOR EACH ROW WHEN (
        OLD.id IS DISTINCT FROM NEW.id OR OLD.connection_id IS DISTINCT FROM NEW.connection_id
        OR OLD.user_a_id IS DISTINCT FROM NEW.user_a_id OR OLD.user_b_id IS DISTINCT FROM NEW.user_b_id
        OR OLD.server_type IS DISTINCT FROM NEW.server_type OR OLD.started_at IS DISTINCT FROM NEW.started_at
        OR (NEW.version < OLD.version OR NEW.cycle NOT IN (OLD.cycle, OLD.cycle + 1)
            OR (NEW.cycle = OLD.cycle AND NEW.completed_days NOT IN (OLD.completed_days, OLD.completed_days + 1))
            OR (NEW.cycle > OLD.cycle AND NEW.completed_days <> 0)) IS NOT FALSE)
    EXECUTE FUNCTION streak.hold_facts();
"""


def upgrade() -> None:
    run_sql(GUARDS)
