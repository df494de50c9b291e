"""The tables of the discovery schema. Migrations make them; a test holds both equal; services use SQL."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from unora_common.erased import blanked, deleted, kept, of_nobody
from unora_common.tables import exported, not_exported, projected_from, rebuilds, service_may, timestamp
from unora_common.tables import metadata as schema

metadata = schema("discovery")

# Not a foreign key to `servers`: each insert would lock its row there, and all members share those three rows.
SERVER_TYPES = "server_type IN ('partner', 'friend', 'growth')"
AGE_BANDS = "age_band IN ('18_24', '25_29', '30_34', '35_39', '40_49', '50_59', '60_plus')"

servers = Table(
    "servers",
    metadata,
    Column("server_type", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("position", SmallInteger, nullable=False),
    UniqueConstraint("position"),
    CheckConstraint(SERVER_TYPES, name="server_type"),
    info=service_may("select", erased=of_nobody()) | not_exported("reference data"),
    comment="The three worlds a member takes part in; reference data (DI-01)",
)

server_memberships = Table(
    "server_memberships",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("server_type", Text, primary_key=True),
    Column("joined_at", timestamp(), nullable=False),
    Column("first_batch_at", timestamp()),
    Column("left_at", timestamp()),
    CheckConstraint(SERVER_TYPES, name="server_type"),
    CheckConstraint("first_batch_at >= joined_at", name="joined_before"),
    CheckConstraint("left_at >= joined_at", name="left_after"),
    Index("ix_server_memberships_server_type", "server_type"),
    info=service_may("select, insert, update", erased=kept("cards of the member are of a server (DI-01); ids"))
    | exported("server_memberships"),
    comment="Who has joined which server, and got a first batch there;"
    " that stays when the batch is forgotten (DI-01, DI-04)",
)

refresh_timers = Table(
    "refresh_timers",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("last_global_refresh_at", timestamp()),
    Column("refresh_available_at", timestamp()),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint(
        "(last_global_refresh_at IS NULL) = (refresh_available_at IS NULL)"
        " AND refresh_available_at >= last_global_refresh_at",
        name="times",
    ),
    info=service_may("select, insert, update", erased=deleted("user_id = member")) | exported("refresh_timer"),
    comment="One timer for all servers; its lock guards all of a member's Discovery (DI-04)",
)

candidates = Table(
    "candidates",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("profile_version", BigInteger, nullable=False, server_default=text("0")),
    Column("discovery_ready", Boolean, nullable=False, server_default=text("false")),
    Column("gender", Text),
    Column("age_band", Text),
    Column("city", Text, nullable=False, server_default=text("''")),
    Column("trust_level", SmallInteger, nullable=False, server_default=text("0")),
    Column("hobby_option_ids", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("hobbies", JSONB, nullable=False, server_default=text("'[]'")),
    Column("inventory_version", BigInteger, nullable=False, server_default=text("0")),
    Column("tier", Text, nullable=False, server_default=text("'free'")),
    Column("active_connection_count", SmallInteger, nullable=False, server_default=text("0")),
    Column("connection_limit", SmallInteger, nullable=False, server_default=text("1")),
    Column("tier_version", BigInteger, nullable=False, server_default=text("0")),
    Column("restriction_version", BigInteger, nullable=False, server_default=text("0")),
    Column("reduced_visibility", Boolean, nullable=False, server_default=text("false")),
    Column("restricted", Boolean, nullable=False, server_default=text("false")),
    Column("suspended", Boolean, nullable=False, server_default=text("false")),
    Column("texts_version", BigInteger, nullable=False, server_default=text("0")),
    Column("place_id", Text, nullable=False, server_default=text("''")),
    CheckConstraint("gender IN ('woman', 'man', 'non_binary')", name="gender"),
    CheckConstraint(AGE_BANDS, name="age_band"),
    CheckConstraint("tier IN ('free', 'plus', 'pro')", name="tier"),
    CheckConstraint(
        "NOT discovery_ready OR (gender IS NOT NULL AND age_band IS NOT NULL"
        " AND trust_level BETWEEN 1 AND 5 AND cardinality(hobby_option_ids) >= 2)",
        name="ready_is_whole",
    ),
    CheckConstraint("jsonb_array_length(hobbies) = cardinality(hobby_option_ids)", name="hobbies"),
    info=service_may("select, insert, update", erased=deleted("user_id = member"))
    | not_exported("copies of what other contexts own, and standings (SA-03)")
    | projected_from(
        identity="profile_version discovery_ready gender age_band city place_id trust_level hobby_option_ids hobbies"
        " texts_version",
        matching="inventory_version active_connection_count connection_limit",
        billing="tier tier_version",
        safety="restriction_version reduced_visibility restricted suspended",
    ),
    comment="The pool: each member as identity, matching, billing and safety tell of them,"
    " at these versions (DI-08, DI-09)",
)

pool = Table(
    "pool",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("slot", Integer, Identity(always=True), nullable=False),
    Column("changed", BigInteger, nullable=False),
    UniqueConstraint("slot"),
    Index("ix_pool_changed", "changed"),
    # Triggers write it. The service changes `changed` where it is of another cluster.
    info=service_may("select, update (changed)", erased=kept("the slot in the planes, which is given once (DI-17)"))
    | not_exported("a number for each member"),
    comment="The slot of each member in the planes, and the transaction that changed them last (DI-17)",
)

exclusions = Table(
    "exclusions",
    metadata,
    Column("source_id", UUID(), primary_key=True),
    Column("user_id", UUID(), primary_key=True),
    Column("other_id", UUID(), nullable=False),
    Column("reason", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("apart_until", timestamp()),
    CheckConstraint("user_id <> other_id", name="two"),
    CheckConstraint("reason IN ('interest_pending', 'connected', 'ended', 'lifted')", name="reason"),
    Index(
        "ix_exclusions_user_id_other_id",
        "user_id",
        "other_id",
        postgresql_where=text("reason <> 'lifted'"),
    ),
    Index(
        "ix_exclusions_apart_until",
        "apart_until",
        postgresql_where=text("reason IN ('lifted', 'interest_pending')"),
    ),
    info=service_may("select, insert, update, delete", erased=kept("ids; they keep two apart (MA-12)"))
    | not_exported("what follows from others (MA-10)")
    | projected_from(matching="*"),
    comment="Who is not shown to whom, by the interest or connection that keeps them apart (DI-09)",
)

waiting_interests = Table(
    "waiting_interests",
    metadata,
    Column("interest_id", UUID(), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("sender_id", UUID(), nullable=False),
    Column("receiver_id", UUID(), nullable=False),
    Column("server_type", Text, nullable=False),
    Column("waits", Boolean, nullable=False),
    Column("waits_until", timestamp(), nullable=False),
    Column("position", Integer, nullable=False, server_default=text("0")),
    CheckConstraint(SERVER_TYPES, name="server_type"),
    CheckConstraint("sender_id <> receiver_id", name="two"),
    Index(
        "ix_waiting_interests_receiver_id_server_type_position",
        "receiver_id",
        "server_type",
        "position",
        postgresql_where=text("waits"),
    ),
    Index("ix_waiting_interests_waits_until", "waits_until"),
    info=service_may("select, insert, update, delete", erased=kept("ids and states; the job forget_waits deletes them"))
    | not_exported("interests received (MA-10)")
    | projected_from(matching="*"),
    comment="Interests, and whether they still wait for their receiver; no other context may know (DI-13, MA-10)",
)

member_blocks = Table(
    "member_blocks",
    metadata,
    Column("blocker_id", UUID(), primary_key=True),
    Column("blocked_id", UUID(), primary_key=True),
    Column("in_force", Boolean, nullable=False),
    Column("changed_at", timestamp(), nullable=False),
    CheckConstraint("blocker_id <> blocked_id", name="two"),
    Index("ix_member_blocks_blocked_id", "blocked_id", postgresql_where=text("in_force")),
    Index("ix_member_blocks_changed_at", "changed_at", postgresql_where=text("NOT in_force")),
    info=service_may("select, insert, update, delete", erased=kept("ids; the other one's block goes on"))
    | not_exported("a copy of what safety owns, and blocks by others (SA-07)")
    | projected_from(safety="*"),
    comment="Who blocks whom, as safety told last; in force, neither is shown to the other (DI-09)",
)

filters = Table(
    "filters",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("server_type", Text, primary_key=True),
    Column("genders", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("age_bands", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("updated_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    Column("min_age", SmallInteger, nullable=False, server_default=text("18")),
    Column("max_age", SmallInteger, nullable=False, server_default=text("99")),
    Column("same_city_only", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint(SERVER_TYPES, name="server_type"),
    CheckConstraint("min_age BETWEEN 18 AND 99", name="min_age"),
    CheckConstraint("max_age BETWEEN min_age AND 99", name="max_age"),
    CheckConstraint(
        "genders <@ ARRAY['woman', 'man', 'non_binary'] AND cardinality(genders) <= 3",
        name="genders",
    ),
    CheckConstraint(
        "age_bands <@ ARRAY['18_24', '25_29', '30_34', '35_39', '40_49', '50_59', '60_plus']"
        " AND cardinality(age_bands) <= 7",
        name="age_bands",
    ),
    info=service_may("select, insert, update", erased=deleted("user_id = member")) | exported("filters"),
    comment="Whom a member wants on the cards of a server, from the next refresh on; an empty list is anyone (DI-05)",
)

# Whole batches of the member: a batch has five cards or none.
OWN_CARDS = deleted(
    "batch_id = ANY (ARRAY(SELECT b.id FROM discovery.discovery_batches b WHERE b.user_id = member LIMIT 50))"
)
# What others see of the member on their cards: a batch keeps its five.
CARDS_OF_MEMBER = blanked(
    "city = '', place_id = '', hobbies = '[]'",
    where="shown_user_id = member AND (city <> '' OR place_id <> '' OR hobbies <> '[]')",
    reason="a batch has five cards (DI-02); an age band and a level",
)

discovery_batches = Table(
    "discovery_batches",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("user_id", UUID(), nullable=False),
    Column("server_type", Text, nullable=False),
    Column("created_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    CheckConstraint(SERVER_TYPES, name="server_type"),
    Index(
        "uq_discovery_batches_one_active",
        "user_id",
        "server_type",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index("ix_discovery_batches_user_id_deleted_at", "user_id", "deleted_at"),
    Index("ix_discovery_batches_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    info=service_may(
        "select, insert, update, delete",
        erased=deleted(
            "user_id = member"
            " AND NOT EXISTS (SELECT FROM discovery.discovery_cards k WHERE k.batch_id = discovery_batches.id)"
        ),
    )
    | exported("batches"),
    comment="A member's batches per server; one is active, until the next refresh (DI-03)",
)

discovery_cards = Table(
    "discovery_cards",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("batch_id", UUID(), ForeignKey(discovery_batches.c.id), nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("shown_user_id", UUID(), nullable=False),
    Column("age_band", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("trust_level", SmallInteger, nullable=False),
    Column("hobbies", JSONB, nullable=False),
    Column("deleted_at", timestamp()),
    Column("profile_version", BigInteger, nullable=False, server_default=text("0")),
    Column("place_id", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("batch_id", "position"),
    UniqueConstraint("batch_id", "shown_user_id"),
    CheckConstraint("position BETWEEN 1 AND 5", name="position"),
    CheckConstraint(AGE_BANDS, name="age_band"),
    CheckConstraint("trust_level BETWEEN 1 AND 5", name="trust_level"),
    CheckConstraint("jsonb_typeof(hobbies) = 'array'", name="hobbies"),
    Index("ix_discovery_cards_shown_user_id", "shown_user_id"),
    info=service_may("select, insert, update, delete", erased=(OWN_CARDS, CARDS_OF_MEMBER)) | exported("batches"),
    comment="Exactly five cards per batch, as they were when made: no photo, name, phone or age (DI-02, DI-08)",
)

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
    # What it shows never changes: the trigger `hold_partner_card`.
    info=service_may("select, insert, update", erased=deleted("shown_user_id = member"))
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
    info=service_may("select, insert, update, delete", erased=deleted("shown_user_id = member"))
    | not_exported("what others showed: about another person"),
    comment="Cards of purged batches, while an interest or a block on them is listed; times are the machine's (DI-16)",
)

rebuilds(metadata)
