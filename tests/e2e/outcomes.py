"""The results of a saga: its rows, its events and the provider's charges, counted, so that nothing exists twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import asyncpg
from unora_testing.invariants import Invariant, accounts
from unora_testing.invariants.events import INVARIANTS
from unora_testing.world import Caller

from tests.e2e.saga_couples import SagaCouple

Then = Literal["kept", "converted", "refused"]
"""The result of a payment: the purchased item was delivered (and later converted to credits), or was rejected."""
LATER: dict[Then, list[str]] = {
    "kept": ["payment_applied"],
    "converted": ["payment_applied", "payment_credited"],
    "refused": ["payment_credited"],
}
PRICES = {"recovery": 299, "reveal": 199, "nudge": 99}

COUNTS = """
    SELECT (SELECT count(*) FROM streak.recovery_payments WHERE payment_id = $1) AS recovery,
        (SELECT count(*) FROM streak.nudges WHERE payment_id = $1) AS nudge,
        (SELECT count(*) FROM reveal.purchases p JOIN reveal.reveals r ON r.id = p.reveal_id
            WHERE p.payment_id = $1 AND p.given AND r.reveal_status = 'purchased') AS reveal,
        (SELECT count(*) FROM streak.closed_payments WHERE payment_id = $1)
            + (SELECT count(*) FROM reveal.purchases WHERE payment_id = $1 AND NOT given) AS refused,
        (SELECT count(*) FROM billing.credit_protections WHERE payment_id = $1) AS protected,
        (SELECT array_agg(amount) FROM billing.credits WHERE payment_id = $1) AS credits,
        (SELECT balance FROM billing.accounts a WHERE a.user_id = p.payer_id) AS balance,
        (SELECT coalesce(sum(amount), 0) FROM billing.credits c WHERE c.user_id = p.payer_id) AS sum,
        (SELECT count(*) FROM billing.credits c WHERE c.user_id = p.payer_id) AS entries,
        p.purpose, p.status, p.payer_id
    FROM billing.payments p WHERE p.id = $1"""

EMITTED = """
    SELECT split_part(subject, '.', 4) AS event FROM {context}.outbox
    WHERE aggregate_id = $1 ORDER BY aggregate_version"""

PAIR = """
    SELECT c.connection_status, c.end_reason, c.ended_by_id, s.streak_state, p.ended_at IS NOT NULL AS tombstone,
        (SELECT array_agg(active_connection_count) FROM matching.inventory
            WHERE user_id IN (c.user_a_id, c.user_b_id)) AS active,
        (SELECT count(*) FROM safety.blocks b WHERE b.target_id = c.id AND b.deleted_at IS NULL) AS blocks
    FROM matching.connections c JOIN streak.streaks s ON s.connection_id = c.id
    JOIN reveal.pairs p ON p.connection_id = c.id WHERE c.id = $1"""


class Outcomes:
    """The results on an idle stack."""

    def __init__(self, superuser: asyncpg.Connection[asyncpg.Record], book: Path) -> None:
        self._superuser = superuser
        self._book = book

    def charges(self, payment_id: str) -> list[dict[str, Any]]:
        """The provider's charges of a payment."""
        intents = json.loads(self._book.read_bytes())["intents"].values()
        return [intent for intent in intents if intent["metadata"]["payment_id"] == payment_id]

    async def paid_once(self, couple: SagaCouple, payment_id: str, then: Then = "kept") -> None:
        """One charge, and one purchased item or its price in credits; or both, if the partner ended it (BI-05)."""
        row = await self._superuser.fetchrow(COUNTS, UUID(payment_id))
        assert row is not None
        price = PRICES[row["purpose"]]
        (charge,) = self.charges(payment_id)
        assert (charge["status"], charge["amount_received"]) == ("succeeded", price)
        given = {purpose: row[purpose] for purpose in (*PRICES, "refused")}
        assert given == dict.fromkeys(given, 0) | {"refused" if then == "refused" else row["purpose"]: 1}
        assert row["protected"] == (row["purpose"] == "recovery")
        assert row["status"] == ("applied" if then == "kept" else "credited")
        assert row["credits"] == (None if then == "kept" else [price])
        assert await self._emitted("billing", payment_id) == [
            "payment_created",
            "payment_sent",
            "payment_succeeded",
            *LATER[then],
        ]
        emitted = Counter(await self._emitted("streak", couple.streak_id))
        assert emitted["streak_recovered"] == (row["purpose"] == "recovery")
        assert emitted["nudge_sent"] == (2 if row["purpose"] == "nudge" else 0)  # one of the tier came before
        assert not emitted.keys() & {"recovery_rejected", "nudge_rejected"}
        assert await self._emitted("billing", str(row["payer_id"])) == ["credits_changed"] * row["entries"]
        assert row["sum"] == row["balance"]

    async def ended_once(self, couple: SagaCouple, *, by_block: bool) -> None:
        """One ending, by a; streak, reveals and slots of the connection ended with it, once."""
        row = await self._superuser.fetchrow(PAIR, UUID(couple.connection_id))
        assert row is not None
        assert (row["connection_status"], row["ended_by_id"]) == ("ended", couple.a.user)
        assert (row["end_reason"], row["blocks"]) == (("block", 1) if by_block else ("other", 0))
        assert row["active"] == [0, 0]
        assert (row["streak_state"], row["tombstone"]) == ("terminated", True)
        assert await self._emitted("matching", couple.connection_id) == ["connection_formed", "connection_ended"]
        assert (await self._emitted("streak", couple.streak_id)).count("streak_terminated") == 1
        for member in (couple.a, couple.b):
            assert await self._emitted("matching", member.id) == ["inventory_changed"]

    async def closed_once(self, couple: SagaCouple, leaver: Caller, payment_id: str) -> None:
        """The account is closed once, its connection ended, and the payment that waited is cancelled (ID-09)."""
        row = await self._superuser.fetchrow(PAIR, UUID(couple.connection_id))
        assert row is not None
        assert (row["end_reason"], row["ended_by_id"], row["active"]) == ("closing", leaver.user, [0, 0])
        assert (row["streak_state"], row["tombstone"]) == ("terminated", True)
        assert await self._emitted("matching", couple.connection_id) == ["connection_formed", "connection_ended"]
        assert Counter(await self._emitted("identity", leaver.id))["account_closed"] == 1
        assert (await self._emitted("billing", payment_id))[-1] == "payment_failed"
        for invariant in accounts.INVARIANTS:
            assert not await self._superuser.fetch(invariant.sql), invariant.says

    async def is_cancelled(self, payment_id: str) -> bool:
        """Whether the provider can no longer charge a payment, and billing knows it."""
        sql = "SELECT status = 'failed' FROM billing.payments WHERE id = $1"
        failed: bool = await self._superuser.fetchval(sql, UUID(payment_id))
        return failed and [charge["status"] for charge in self.charges(payment_id)] == ["canceled"]

    async def no_webhook_waits(self) -> bool:
        """Whether billing has accepted every webhook."""
        return not json.loads(self._book.read_bytes())["waiting"]

    async def recovered(self, *payment_ids: str) -> bool:
        """Whether each of these payments has recovered a streak."""
        sql = "SELECT count(*) = $2 FROM streak.recovery_payments WHERE payment_id = ANY($1::uuid[])"
        done: bool = await self._superuser.fetchval(sql, list(payment_ids), len(payment_ids))
        return done

    async def all_sent(self, *payment_ids: str) -> bool:
        """Whether each of these payments waits for its member's confirmation."""
        sql = "SELECT bool_and(status = 'pending') FROM billing.payments WHERE id = ANY($1::uuid[])"
        done: bool = await self._superuser.fetchval(sql, list(payment_ids))
        return done

    async def payment_of(self, request_id: str) -> dict[str, str]:
        """The payment that a request made: its id and status."""
        sql = "SELECT id::text, status FROM billing.payments WHERE request_id = $1"
        (row,) = await self._superuser.fetch(sql, UUID(request_id))
        return dict(row)

    async def unpublished(self, context: str, event: str) -> int:
        """How many events of a kind wait in the outbox."""
        number: int = await self._superuser.fetchval(
            f"SELECT count(*) FROM {context}.outbox WHERE published_at IS NULL AND subject LIKE '%.' || $1", event
        )
        return number

    async def events_are_complete(self) -> None:
        """Every event was emitted once per version, published, applied, and audited once."""
        broken: dict[Invariant, list[Any]] = {
            invariant: rows for invariant in INVARIANTS if (rows := await self._superuser.fetch(invariant.sql))
        }
        assert not broken

    async def _emitted(self, context: str, aggregate: str) -> list[str]:
        rows = await self._superuser.fetch(EMITTED.format(context=context), UUID(aggregate))
        return [row["event"] for row in rows]
