"""What codes and wrong tries have used up, and the devices that an account knows (ID-02, ID-11)."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Table, text
from sqlalchemy.dialects.postgresql import UUID
from unora_common.erased import deleted, kept, of_nobody
from unora_common.tables import exported, not_exported, service_may, timestamp

from unora_identity.tables.accounts import phone_challenges, users
from unora_identity.tables.schema import metadata

code_spending = Table(
    "code_spending",
    metadata,
    Column("challenge_id", UUID(), ForeignKey(phone_challenges.c.id, ondelete="CASCADE"), primary_key=True),
    Column("issued_at", timestamp(), nullable=False),
    Column("device_digest", LargeBinary),
    Column("address_digest", LargeBinary),
    Column("calling_code", SmallInteger, nullable=False),
    CheckConstraint("octet_length(device_digest) = 32", name="device_digest"),
    CheckConstraint("octet_length(address_digest) = 32", name="address_digest"),
    Index("ix_code_spending_issued_at", "issued_at"),
    Index("ix_code_spending_calling_code_issued_at", "calling_code", "issued_at"),
    Index(
        "ix_code_spending_device_digest_issued_at",
        "device_digest",
        "issued_at",
        postgresql_where=text("device_digest IS NOT NULL"),
    ),
    Index(
        "ix_code_spending_address_digest_issued_at",
        "address_digest",
        "issued_at",
        postgresql_where=text("address_digest IS NOT NULL"),
    ),
    info=service_may("select, insert", erased=of_nobody()) | not_exported("counts against misuse, for a day"),
    comment="What the codes for devices that no account knows have spent; a row goes with its challenge (ID-11)",
)

code_totals = Table(
    "code_totals",
    metadata,
    Column("calling_code", SmallInteger, primary_key=True, autoincrement=False),
    Column("minute", timestamp(), primary_key=True),
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("codes", Integer, nullable=False),
    CheckConstraint("codes >= 0", name="codes"),
    Index("ix_code_totals_minute", "minute"),
    # What changes code_spending writes it, by its triggers.
    info=service_may("select, insert, update, delete", erased=of_nobody()) | not_exported("counts over all members"),
    comment="How many rows code_spending has, by calling code (0: all of them) and minute of the rule clock (ID-11)",
)

wrong_codes = Table(
    "wrong_codes",
    metadata,
    Column("challenge_id", UUID(), primary_key=True),
    Column("wrong_try", SmallInteger, primary_key=True),
    Column("phone_hash", LargeBinary, nullable=False),
    Column("known_device", LargeBinary),
    Column("tried_at", timestamp(), nullable=False),
    Column("created_at", timestamp(), nullable=False, server_default=text("clock_timestamp()")),
    CheckConstraint("octet_length(phone_hash) = 32", name="phone_hash"),
    CheckConstraint("octet_length(known_device) = 32", name="known_device"),
    Index("ix_wrong_codes_phone_hash_tried_at", "phone_hash", "tried_at"),
    Index("ix_wrong_codes_created_at", "created_at"),
    # One column, since locking a row needs the right to change it.
    info=service_may(
        "select, insert, update (created_at), delete",
        erased=kept("keyed hashes, for a day: they may be of the number's next owner"),
    )
    | not_exported("counts against misuse, for a day"),
    comment="Wrong codes, over all codes of a number; they may outlive their challenge (ID-02)",
)

past_devices = Table(
    "past_devices",
    metadata,
    Column("user_id", UUID(), ForeignKey(users.c.id), primary_key=True),
    Column("device_digest", LargeBinary, primary_key=True),
    Column("seen_at", timestamp(), nullable=False),
    CheckConstraint("octet_length(device_digest) = 32", name="device_digest"),
    Index("ix_past_devices_seen_at", "seen_at"),
    info=service_may("select, insert, update (seen_at), delete", erased=deleted("user_id = member"))
    | exported("known_devices"),
    comment="Devices of deleted sessions, which their account goes on knowing; times are the machine's (ID-02)",
)
