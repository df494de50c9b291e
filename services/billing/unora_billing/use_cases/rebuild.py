"""XX-08: billing's projections, made anew from identity, matching and safety."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from unora_common.copies import ANYTHING
from unora_common.database import Tx
from unora_common.rebuilding import Part, Row
from unora_common.runtime import Runtime

from unora_billing.clients import KnownAccount, KnownEnding, Owners
from unora_billing.config import BillingConfig
from unora_billing.domain.protections import Ending
from unora_billing.resources import Resources
from unora_billing.store import accounts, connection_endings
from unora_billing.use_cases.closing import close_account, reopen_account
from unora_billing.use_cases.protections import end_connection
from unora_billing.use_cases.subscriptions import apply_restriction

PARTS: Final = ("standings", "closings", "endings")


def parts(runtime: Runtime[BillingConfig, Resources]) -> list[Part[Any]]:
    """In the order in which they are made anew."""
    owners = Owners(runtime.clients)
    return [_standings(owners), _closings(owners), _endings(owners)]


def _standings(owners: Owners) -> Part[tuple[UUID, int, bool]]:
    """SA-06: a subscription that a suspension should have ended ends now."""

    async def apply(tx: Tx, told: Sequence[tuple[UUID, int, bool]]) -> None:
        for user_id, version, suspended in told:
            await apply_restriction(tx, user_id, version, suspended=suspended)

    return Part(
        name="standings",
        copy=accounts.STANDINGS,
        ask=owners.list_standings,
        rows=lambda told: [Row((told[0],), (told[2],), told[1])],
        apply=apply,
        untold=(False,),
        at_once=1,
    )


def _closings(owners: Owners) -> Part[KnownAccount]:
    """ID-09: what a closing should have ended ends now. An account of which identity knows nothing is erased, and stays
    as it is.
    """

    async def apply(tx: Tx, told: Sequence[KnownAccount]) -> None:
        for user_id, version, closed_at, hidden in told:
            if closed_at:
                await close_account(tx, user_id, version, closed_at, keeps_credits=hidden)
            else:
                await reopen_account(tx, user_id, version)

    return Part(
        name="closings",
        copy=accounts.CLOSINGS_COPY,
        ask=owners.list_accounts,
        rows=lambda told: [
            Row((told.user_id,), (told.closed_at is not None, told.hidden, told.closed_at), told.version)
        ],
        apply=apply,
        silent=lambda told: told.closed_at is None,
        at_once=1,
    )


def _endings(owners: Owners) -> Part[KnownEnding]:
    """BI-05: protections that an ending should have converted are converted now."""

    def rows(told: KnownEnding) -> list[Row]:
        # When the member acted, only the event said for older connections: what is stored stays.
        return [Row((told.connection_id,), (told.ended_by_id, told.acted_at or ANYTHING))]

    async def apply(tx: Tx, told: Sequence[KnownEnding]) -> None:
        for each in told:
            await end_connection(tx, each.connection_id, Ending(each.ended_by_id, each.acted_at or each.ended_at))

    return Part(
        name="endings",
        copy=connection_endings.COPY,
        ask=owners.list_endings,
        rows=rows,
        apply=apply,
        at_once=1,
    )
