"""What a member agreed to pay with, if the payment carries a quote (BI-12).

No rewriting: the new column is NULL. The check reads the table once while it is locked. The version before neither
reads nor writes the column.
"""

from unora_common.messaging_schema import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

QUOTES = """
ALTER TABLE billing.payments ADD COLUMN quoted_method text
    CONSTRAINT ck_payments_quoted_method CHECK (quoted_method IN ('money', 'credits', 'free'));
CREATE TRIGGER refuse_other_quote BEFORE UPDATE ON billing.payments
    FOR EACH ROW WHEN (OLD.quoted_method IS DISTINCT FROM NEW.quoted_method)
    EXECUTE FUNCTION billing.refuse_change();
"""


def upgrade() -> None:
    run_sql(QUOTES)
