"""What a member was shown and lists still show: partners, cards with an interest or a block (DI-15, DI-16)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from unora_common.erased import deleted, kept
from unora_common.tables import not_exported, projected_from, service_may, timestamp

from unora_discovery.tables.schema import AGE_BANDS, CARDS_OF_MEMBER, metadata

partner_cards = Table(
    "partner_cards",
    metadata,
    Column("connection_id", UUID(), primary_key=True),
    Column("viewer_id", UUID(), primary_key=True),
    Column("shown_user_id", UUID(), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("profile_version", BigInteger, nullable=False),
    Column("age_band", Text),
    Column("city", Text, nullable=False),
    Column("place_id", Text, nullable=False),
    Column("trust_level", SmallInteger, nullable=False),
    Column("hobbies", JSONB, nullable=False),
    CheckConstraint("viewer_id <> shown_user_id", name="two"),
    CheckConstraint(AGE_BANDS, name="age_band"),
    CheckConstraint("jsonb_typeof(hobbies) = 'array'", name="hobbies"),
    Index("ix_partner_cards_viewer_id", "viewer_id", postgresql_where=text("active")),
    Index("ix_partner_cards_shown_user_id", "shown_user_id"),
    # Not one index on all: what a member sees must be found by the one on those in force.
    Index("ix_partner_cards_viewer_id_ended", "viewer_id", postgresql_where=text("NOT active")),
    # What it shows never changes, but for an erasure: the trigger `hold_partner_card`.
    info=service_may(
        "select, insert, update",
        erased=(
            deleted("viewer_id = member AND active"),
            deleted("viewer_id = member AND NOT active"),
            CARDS_OF_MEMBER,
        ),
    )
    | not_exported("what the partner showed: about another person")
    | projected_from(matching="version active"),
    comment="Each member of a connection as the other saw them when it formed; a fact of discovery's own"
    " (DI-15, DI-16)",
)

card_interests = Table(
    "card_interests",
    metadata,
    Column("interest_id", UUID(), primary_key=True),
    Column("card_id", UUID(), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("sent", Boolean, nullable=False),
    Column("over_at", timestamp()),
    CheckConstraint("sent = (over_at IS NULL)", name="over"),
    Index("ix_card_interests_card_id", "card_id"),
    Index("ix_card_interests_over_at", "over_at", postgresql_where=text("over_at IS NOT NULL")),
    info=service_may("select, insert, update, delete", erased=kept("ids and states; they go with the interest"))
    | not_exported("a copy of what matching owns")
    | projected_from(matching="*"),
    comment="The card of each interest, and whether it looks sent to its sender, as matching tells (DI-16)",
)

kept_cards = Table(
    "kept_cards",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("viewer_id", UUID(), nullable=False),
    Column("shown_user_id", UUID(), nullable=False),
    Column("profile_version", BigInteger, nullable=False),
    Column("age_band", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("place_id", Text, nullable=False),
    Column("trust_level", SmallInteger, nullable=False),
    Column("hobbies", JSONB, nullable=False),
    Column("check_at", timestamp(), nullable=False),
    CheckConstraint(AGE_BANDS, name="age_band"),
    CheckConstraint("jsonb_typeof(hobbies) = 'array'", name="hobbies"),
    Index("ix_kept_cards_check_at", "check_at"),
    Index("ix_kept_cards_shown_user_id", "shown_user_id"),
    Index("ix_kept_cards_viewer_id", "viewer_id"),
    info=service_may("select, insert, update, delete", erased=(deleted("viewer_id = member"), CARDS_OF_MEMBER))
    | not_exported("what others showed: about another person"),
    comment="Cards of purged batches, while an interest or a block on them is listed; times are the machine's (DI-16)",
)
