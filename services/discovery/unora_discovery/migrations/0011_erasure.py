"""Erasing a member (ID-09). It alone may blank the cards on which others see the member."""

from unora_common.messaging_schema import create_erased_members, run_sql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ERASURE = """
CREATE INDEX ix_discovery_cards_shown_user_id ON discovery.discovery_cards (shown_user_id);
CREATE INDEX ix_partner_cards_shown_user_id ON discovery.partner_cards (shown_user_id);
CREATE INDEX ix_kept_cards_shown_user_id ON discovery.kept_cards (shown_user_id);
CREATE OR REPLACE FUNCTION discovery.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('unora.erasing', true) = 'on' AND current_user = 'unora_discovery_owner' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'a card stays as it was made'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'card_immutable';
END
$$;
"""


def upgrade() -> None:
    create_erased_members("discovery")
    run_sql(ERASURE)
