"""The tables of the reveal schema. Migrations make them; a test holds both equal; services use SQL."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from unora_common.erased import deleted, kept, of_nobody
from unora_common.tables import exported, not_exported, projected_from, rebuilds, service_may, timestamp
from unora_common.tables import metadata as schema

# All texts of the member's connections: the member's own, and those about the member.
OF_MEMBER = (
    "reveal_id IN (SELECT r.id FROM reveal.progressions p JOIN reveal.reveals r ON r.streak_id = p.streak_id"
    " WHERE p.user_id = member)"
)

metadata = schema("reveal", functions=("refuse", "require_for_sale"))

reveal_milestones = Table(
    "reveal_milestones",
    metadata,
    Column("tier", Text, primary_key=True),
    Column("reveal_number", SmallInteger, primary_key=True, autoincrement=False),
    Column("reveal_day_required", SmallInteger),
    CheckConstraint("tier IN ('free', 'plus', 'pro')", name="tier"),
    CheckConstraint("reveal_number BETWEEN 1 AND 5", name="reveal_number"),
    CheckConstraint("reveal_day_required BETWEEN 1 AND 15", name="reveal_day_required"),
    CheckConstraint(
        "reveal_number < 5 OR (reveal_day_required = 15 AND reveal_day_required IS NOT NULL)", name="identity_is_day_15"
    ),
    info=service_may("select", erased=of_nobody()) | not_exported("reference data, never told (RE-02)"),
    comment="The day that each reveal needs, by tier; null where it is not earned by days (RE-02, RE-11)",
)

pairs = Table(
    "pairs",
    metadata,
    Column("connection_id", UUID(), primary_key=True),
    Column("streak_id", UUID()),
    Column("user_a_id", UUID(), nullable=False),
    Column("user_b_id", UUID(), nullable=False),
    Column("completed_days", SmallInteger, nullable=False),
    Column("ended_at", timestamp()),
    UniqueConstraint("streak_id"),
    CheckConstraint("user_a_id < user_b_id", name="pair_ordered"),
    CheckConstraint("completed_days BETWEEN 0 AND 15", name="completed_days"),
    info=service_may("select, insert, update", erased=kept("the tombstone of the connection (RE-10)"))
    | not_exported("of two members; streak exports the days")
    | projected_from(streak="streak_id completed_days", matching="ended_at"),
    comment="The most days a connection's streak has reached, and whether it has ended: a tombstone (RE-08, RE-10). "
    "Its row's lock guards all reveals of the two",
)

tiers = Table(
    "tiers",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("tier", Text, nullable=False, server_default="free"),
    Column("version", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("tier IN ('free', 'plus', 'pro')", name="tier"),
    info=service_may("select, insert, update", erased=deleted("user_id = member"))
    | not_exported("a copy of what billing owns")
    | projected_from(billing="*"),
    comment="A projection of billing: the tier that a progression begins with (RE-08). "
    "Its row's lock comes before the pairs'",
)

progressions = Table(
    "progressions",
    metadata,
    Column("streak_id", UUID(), ForeignKey(pairs.c.streak_id), primary_key=True),
    Column("user_id", UUID(), primary_key=True),
    Column("tier", Text, nullable=False, server_default="free"),
    CheckConstraint("tier IN ('free', 'plus', 'pro')", name="tier"),
    Index("ix_progressions_user_id", "user_id"),
    info=service_may("select, insert, update", erased=kept("reveals point to it; a tier"))
    | exported("reveals")
    | projected_from(billing="tier"),
    comment="By whose milestones each of the two earns: their own tier's alone (RE-03)",
)

reveals = Table(
    "reveals",
    metadata,
    Column("id", UUID(), primary_key=True),
    Column("streak_id", UUID(), nullable=False),
    Column("connection_id", UUID(), ForeignKey(pairs.c.connection_id), nullable=False),
    Column("user_id", UUID(), nullable=False),
    Column("partner_id", UUID(), nullable=False),
    Column("reveal_number", SmallInteger, nullable=False),
    Column("reveal_status", Text, nullable=False, server_default="locked"),
    Column("completed_days", SmallInteger, nullable=False, server_default="0"),
    Column("unlocked_at", timestamp()),
    Column("version", BigInteger, nullable=False, server_default="0"),
    Column("deleted_at", timestamp()),
    UniqueConstraint("streak_id", "user_id", "reveal_number"),
    UniqueConstraint("id", "reveal_number"),
    ForeignKeyConstraint(
        ["streak_id", "user_id"],
        [progressions.c.streak_id, progressions.c.user_id],
        name="fk_reveals_streak_id_user_id",
    ),
    CheckConstraint("user_id <> partner_id", name="two_people"),
    CheckConstraint("reveal_number BETWEEN 1 AND 5", name="reveal_number"),
    CheckConstraint("reveal_status IN ('locked', 'earned', 'purchased', 'unlocked')", name="reveal_status"),
    CheckConstraint("completed_days BETWEEN 0 AND 15", name="completed_days"),
    CheckConstraint(
        "reveal_number < 5 OR reveal_status = 'locked' OR (reveal_status <> 'purchased' AND completed_days = 15)",
        name="identity_needs_day_15",
    ),
    CheckConstraint("(reveal_status = 'unlocked') = (unlocked_at IS NOT NULL)", name="unlocked_at"),
    info=service_may("select, insert, update", erased=kept("what the partner earned and bought; ids and states"))
    | exported("reveals"),
    comment="Five of each member of a streak (RE-01); completed_days is what was reached when it was earned or bought",
)

purchases = Table(
    "purchases",
    metadata,
    Column("payment_id", UUID(), primary_key=True),
    Column("reveal_id", UUID(), ForeignKey(reveals.c.id), nullable=False),
    Column("given", Boolean, nullable=False),
    Column("decided_at", timestamp(), nullable=False),
    Index("uq_purchases_one_given_per_reveal", "reveal_id", unique=True, postgresql_where=text("given")),
    info=service_may("select, insert", erased=kept("payments are records"))
    | not_exported("moments of payments, which billing exports"),
    comment="What became of each payment for a reveal: given, or rejected so that it becomes credits (RE-05, BI-11)",
)

reveal_contents = Table(
    "reveal_contents",
    metadata,
    Column("reveal_id", UUID(), primary_key=True),
    Column("reveal_number", SmallInteger, nullable=False),
    Column("content_json", JSONB(none_as_null=True)),
    Column("photo_ids", ARRAY(UUID())),
    Column("created_at", timestamp(), nullable=False),
    Column("deleted_at", timestamp()),
    ForeignKeyConstraint(
        ["reveal_id", "reveal_number"],
        [reveals.c.id, reveals.c.reveal_number],
        name="fk_reveal_contents_reveal_id_reveal_number",
    ),
    CheckConstraint(
        "(reveal_number = 5) = (content_json IS NULL) AND (reveal_number = 5) = (photo_ids IS NOT NULL)",
        name="identity_is_never_stored",
    ),
    CheckConstraint(
        "content_json IS NULL OR (jsonb_typeof(content_json) = 'object' AND content_json ?& ARRAY['title', 'text']"
        " AND content_json - 'title' - 'text' = '{}' AND jsonb_typeof(content_json -> 'title') = 'string'"
        " AND jsonb_typeof(content_json -> 'text') = 'string')",
        name="content_json",
    ),
    info=service_may("select, insert, update", erased=deleted(OF_MEMBER))
    | not_exported("texts and photos of the partner"),
    comment="The framed text of reveals 1, 2 and 4, as it was first given (RE-09); "
    "of reveal 5 only which photos it showed (RE-12); of reveal 3 nothing (PE-04)",
)

personality_questions = Table(
    "personality_questions",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", SmallInteger, nullable=False),
    Column("dimension", Text, nullable=False),
    Column("wording", Text, nullable=False),
    Column("reversed", Boolean, nullable=False),
    Column("deleted_at", timestamp()),
    UniqueConstraint("wording"),
    CheckConstraint("id > 0", name="id"),
    CheckConstraint("version > 0", name="version"),
    CheckConstraint(
        "dimension IN ('exploration', 'structure', 'sociability', 'consideration', 'composure')", name="dimension"
    ),
    info=service_may("select", erased=of_nobody()) | exported("personality_answers"),
    comment="Static, versioned reference data (PE-02): "
    "version is of the set that brought it, deleted_at of one asked no more",
)

personality_answers = Table(
    "personality_answers",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("question_id", SmallInteger, ForeignKey(personality_questions.c.id), primary_key=True, autoincrement=False),
    Column("answer", SmallInteger, nullable=False),
    Column("answered_at", timestamp(), nullable=False),
    CheckConstraint("answer BETWEEN 1 AND 5", name="answer"),
    info=service_may("select, insert, update, delete", erased=deleted("user_id = member"))
    | exported("personality_answers"),
    comment="One per question and member, 1 disagree to 5 agree; what is withdrawn is deleted (PE-02)",
)

personality_scores = Table(
    "personality_scores",
    metadata,
    Column("user_id", UUID(), primary_key=True),
    Column("scores", JSONB(none_as_null=True)),
    Column("answered_count", SmallInteger, nullable=False, server_default="0"),
    Column("version", BigInteger, nullable=False, server_default="0"),
    Column("computed_at", timestamp()),
    CheckConstraint("answered_count >= 0", name="answered_count"),
    CheckConstraint("(scores IS NULL) = (answered_count = 0)", name="none_without_answers"),
    CheckConstraint(
        "jsonb_typeof(scores) = 'object'"
        " AND scores - ARRAY['exploration', 'structure', 'sociability', 'consideration', 'composure'] = '{}'"
        """ AND NOT jsonb_path_exists(scores, 'strict $.* ? (@.type() != "object")')""",
        name="dimensions",
    ),
    CheckConstraint(
        """NOT jsonb_path_exists(scores, 'strict $.*.* ? (@.type() != "number" || @ < 0 || @ > 1)', '{}', true)""",
        name="only_numbers",
    ),
    CheckConstraint(
        "NOT jsonb_path_exists(scores, 'lax $.* ? (!exists(@.score) || !exists(@.confidence))')"
        """ AND NOT jsonb_path_exists("""
        """scores, 'strict $.*.keyvalue() ? (@.key != "score" && @.key != "confidence")', '{}', true)""",
        name="score_and_confidence",
    ),
    info=service_may("select, insert, update", erased=deleted("user_id = member"))
    | not_exported("scores, shown to nobody (PE-05)"),
    comment="Per dimension a score and a confidence, 0 to 1: numbers only, no label, summary or text (PE-03). "
    "Null without answers. Its row's lock guards the member's answers",
)

rebuilds(metadata)
