"""What the provider told long ago, and old failures of events, are found by an index, so that they can be removed.

Nothing of what the version before reads or writes changes.
"""

from unora_common.messaging_schema import index_inbox_failures, run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PROVIDER_EVENTS = """
CREATE INDEX ix_provider_events_received_at ON billing.provider_events (received_at);
CREATE FUNCTION billing.hold_provider_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.received_at > clock_timestamp() - interval '30 days' THEN
        RAISE EXCEPTION 'an event is kept as long as the provider may repeat it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'provider_event_kept';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER hold_provider_event BEFORE DELETE ON billing.provider_events
    FOR EACH ROW EXECUTE FUNCTION billing.hold_provider_event();
"""


def upgrade() -> None:
    run_sql(PROVIDER_EVENTS)
    index_inbox_failures("billing")
