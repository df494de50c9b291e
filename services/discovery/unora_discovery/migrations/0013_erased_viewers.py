"""What an erased member was shown is found by an index, and what partners saw of them can be blanked (ID-09, DI-16).

The version before deletes the partners' cards instead, and knows nothing of what the member was shown.
"""

from unora_common.messaging_schema import run_sql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Few of a member's cards are kept, and a member has few connections, so both are made within moments.
INDEXES = """
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ix_partner_cards_viewer_id_ended ON discovery.partner_cards (viewer_id) WHERE NOT active;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ix_kept_cards_viewer_id ON discovery.kept_cards (viewer_id);
"""

PARTNER_CARDS = """
CREATE OR REPLACE FUNCTION discovery.hold_partner_card() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('unora.erasing', true) = 'on' AND current_user = 'unora_discovery_owner' THEN
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - 'version' - 'active' <> to_jsonb(OLD) - 'version' - 'active' THEN
        RAISE EXCEPTION 'the card of a partner stays as it was when the connection formed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'partner_card_frozen';
    END IF;
    RETURN NEW;
END
$$;
"""


def upgrade() -> None:
    run_sql(INDEXES)
    run_sql(PARTNER_CARDS)
