"""What each call asks of Postgres, for pgbench: the statements of the stores, in the order of the call."""

from __future__ import annotations

from collections.abc import Sequence

from unora_common.batching import Write, combine
from unora_common.idempotency import insert_response
from unora_common.outbox import Outbox
from unora_discovery.store import batches, screens, search, seekers
from unora_discovery.store import members as pool_members
from unora_identity.store import members
from unora_matching.store import interests, inventories
from unora_reveal.store import reveals

from unora_bench.call_rows import BUYER, CARD, HOLDER, PAIR_STREAK, POOL, REFRESHER, SHOWN
from unora_bench.population import MEMBERS
from unora_bench.sql import BYTES, NEXT, UUID_NEW, statement

NOW = "clock.now()"
INTEREST = "/unora.matching.v1.MatchingService/SendInterest"
REFRESH = "/unora.discovery.v1.DiscoveryService/RefreshBatch"


def _kept_and_told(caller: str, method: str, event: str, answer: int) -> list[Write]:
    """The last two writes of a call: the kept answer, and its event, of a random aggregate as that of a new row."""
    context = event.split(".")[1]
    kept = (f"{caller}::text", f"'{method}'", UUID_NEW, BYTES.format(size=32), BYTES.format(size=answer))
    told = (UUID_NEW, UUID_NEW, "1::bigint", f"'{event}'", BYTES.format(size=160), NOW)
    lists = tuple(f"ARRAY[{one}]" for one in told)
    return [Write(insert_response(context), kept), Write(Outbox(context).sql, (*lists, "repeat('t', 55)"))]


def _run(writes: Sequence[Write]) -> str:
    together = combine(writes)
    return statement(together.sql, together.arguments)


def get_account() -> str:
    """One read."""
    return f"\\set r random(0, {MEMBERS - 1})\n" + statement(members.READ, [HOLDER.sql(":r::int")])


def get_screen() -> str:
    """One read."""
    return f"\\set r random(0, {MEMBERS - 1})\n" + statement(screens.SCREEN, [HOLDER.sql(":r::int"), "'partner'"])


def send_interest(holders: int) -> str:
    """The caller's slots, and discovery's card; then the lock, the relation of the two, and all writes at once."""
    holder, slot = f"mod(:k::int, {holders})", f":k::int / {holders}"
    sender, card = HOLDER.sql(holder), CARD.sql(":k::int")
    shown = SHOWN.sql(f"mod({holder} * 7 + {slot}, {POOL})")
    row = {
        "id": UUID_NEW,
        "sender_id": sender,
        "receiver_id": shown,
        "server_type": "'partner'",
        "card_id": card,
        "interest_status": "'pending'",
        "shown_as": "'pending'",
        "sent_at": NOW,
        "version": "1",
        "closed_at": "NULL::timestamptz",
    }
    last = _kept_and_told(sender, INTEREST, "unora.matching.v1.interest_sent", 120)
    return (
        NEXT
        + statement(inventories.GET, [sender])
        + statement(batches.GET_SHOWN_MEMBER, [card, sender, "false", "interval '89 days'"])
        + "BEGIN;\n"
        + statement(inventories.LOCK_OR_CREATE, [f"ARRAY[{sender}, {shown}]", "'free'", "1"])
        + statement(interests.PAIR_RELATION, [sender, shown, "'partner'", f"{NOW} - interval '30 days'"])
        + _run([Write(interests.INSERT, tuple(interests.INSERTED.values_of(None, **row))), *last])
        + "COMMIT;\n"
    )


def refresh_batch() -> str:
    """The viewer; then the lock, the viewer again, the choice among finalists, and the writes: five cards."""
    viewer = REFRESHER.sql(":k::int")
    shown = f"ARRAY[{', '.join(SHOWN.sql(str(n)) for n in range(5))}]"
    columns = {
        "id": f"ARRAY[{', '.join([UUID_NEW] * 5)}]",
        "shown_user_id": shown,
        "profile_version": "ARRAY[1, 1, 1, 1, 1]::bigint[]",
        "position": "ARRAY[1, 2, 3, 4, 5]::smallint[]",
        "age_band": "array_fill('30_34'::text, ARRAY[5])",
        "city": "array_fill('Berlin'::text, ARRAY[5])",
        "place_id": "array_fill('2950159'::text, ARRAY[5])",
        "trust_level": "ARRAY[3, 3, 3, 3, 3]::smallint[]",
        "hobbies": "array_fill('[]'::jsonb, ARRAY[5])",
    }
    criteria = ["ARRAY['hiking', 'coffee', 'cycling']", f"{NOW} - interval '7 days'", NOW, "1", "2", "0", "12"]
    slots = f"ARRAY(SELECT 1 + (:k::int * 7919 + n * 31) % {POOL - 1} FROM generate_series(1, {{asked}}) AS n)"
    places = "ARRAY(SELECT n / 25.0::float8 FROM generate_series(1, 24) AS n)"
    asked = [slots.format(asked=12), slots.format(asked=24), places, "'{}'"]
    last = _kept_and_told(viewer, REFRESH, "unora.discovery.v1.batch_refreshed", 900)
    opened = [viewer, ":batch::uuid", "'partner'", NOW, "NULL::timestamptz", "NULL::timestamptz"]
    return (
        NEXT
        + statement(screens.VIEWER, [viewer, "'partner'"])
        + "BEGIN;\n"
        + statement(pool_members.LOCK, [viewer])
        + statement(seekers.SEEKER, [viewer, "'partner'", "pg_current_snapshot()", "501"])
        + statement(search.SEARCH, [viewer, "'partner'", *criteria, *asked])
        + "SELECT gen_random_uuid() AS batch \\gset\n"
        + statement(batches.REPLACE, [*opened, *(columns[name] for name in batches.CARD)])
        + _run(last)
        + "COMMIT;\n"
    )


def open_reveal() -> str:
    """One read, of a reveal that is open. Matching and safety are asked besides, which this leaves out."""
    return NEXT + statement(reveals.LIST, [PAIR_STREAK.sql(":k::int"), BUYER.sql(f"mod(:k::int, {MEMBERS})")])
