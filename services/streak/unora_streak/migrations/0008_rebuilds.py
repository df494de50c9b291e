"""How far the rebuilds of this context's projections have come, so that they go on after an interruption (XX-08)."""

from unora_common.messaging_schema import create_rebuilds

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_rebuilds("streak")
