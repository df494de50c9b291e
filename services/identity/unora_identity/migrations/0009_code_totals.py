"""Codes are counted by country and minute, so that a budget costs the same however large it is (ID-11).

The version before goes on beside this one: triggers count what either of them stores or deletes. Old failures of events
are found by an index, too.
"""

from unora_common.messaging_schema import index_inbox_failures, run_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Two sign-ups of one minute wait for each other only if their challenges have the same shard, and only for a commit.
TOTALS = """
CREATE TABLE identity.code_totals (
    calling_code smallint NOT NULL,
    minute timestamptz NOT NULL,
    shard smallint NOT NULL,
    codes integer NOT NULL,
    CONSTRAINT pk_code_totals PRIMARY KEY (calling_code, minute, shard),
    CONSTRAINT ck_code_totals_codes CHECK (codes >= 0)
) WITH (fillfactor = 50);
CREATE INDEX ix_code_totals_minute ON identity.code_totals (minute);
COMMENT ON TABLE identity.code_totals IS
    'How many rows code_spending has, by calling code (0: all of them) and minute of the rule clock (ID-11)';
"""

# Ordered, so that two statements that count many codes never wait for each other in a circle. Who deletes old rows of
# code_spending finds no totals of their minutes any more.
TRIGGERS = """
CREATE FUNCTION identity.count_codes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO identity.code_totals AS t (calling_code, minute, shard, codes)
    SELECT c.calling_code, date_trunc('minute', s.issued_at), get_byte(uuid_send(s.challenge_id), 15) % 8, count(*)
    FROM spent s CROSS JOIN LATERAL (VALUES (0::smallint), (s.calling_code)) AS c (calling_code)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (calling_code, minute, shard) DO UPDATE SET codes = t.codes + excluded.codes;
    RETURN NULL;
END
$$;
CREATE FUNCTION identity.discount_codes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE identity.code_totals t SET codes = greatest(t.codes - gone.codes, 0)
    FROM (
        SELECT c.calling_code, date_trunc('minute', s.issued_at) AS minute,
            get_byte(uuid_send(s.challenge_id), 15) % 8 AS shard, count(*) AS codes
        FROM spent s CROSS JOIN LATERAL (VALUES (0::smallint), (s.calling_code)) AS c (calling_code)
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3) AS gone
    WHERE (t.calling_code, t.minute, t.shard) = (gone.calling_code, gone.minute, gone.shard);
    RETURN NULL;
END
$$;
CREATE TRIGGER count_codes AFTER INSERT ON identity.code_spending
    REFERENCING NEW TABLE AS spent FOR EACH STATEMENT EXECUTE FUNCTION identity.count_codes();
CREATE TRIGGER discount_codes AFTER DELETE ON identity.code_spending
    REFERENCING OLD TABLE AS spent FOR EACH STATEMENT EXECUTE FUNCTION identity.discount_codes();
"""

# The triggers keep other writers out until the commit.
COUNT_STORED = """
INSERT INTO identity.code_totals (calling_code, minute, shard, codes)
SELECT c.calling_code, date_trunc('minute', s.issued_at), get_byte(uuid_send(s.challenge_id), 15) % 8, count(*)
FROM identity.code_spending s CROSS JOIN LATERAL (VALUES (0::smallint), (s.calling_code)) AS c (calling_code)
GROUP BY 1, 2, 3;
"""


def upgrade() -> None:
    run_sql(TOTALS)
    run_sql(TRIGGERS)
    run_sql(COUNT_STORED)
    index_inbox_failures("identity")
