"""Erasing a member (ID-09)."""

from unora_common.messaging_schema import create_erased_members

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_erased_members("matching")
