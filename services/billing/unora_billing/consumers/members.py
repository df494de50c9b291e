"""Events of matching, safety and identity about members and their connections."""

from __future__ import annotations

from uuid import UUID

from unora.identity.v1.events_pb2 import AccountClosed, AccountHidden, AccountReopened
from unora.matching.v1.events_pb2 import ConnectionEnded
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_billing.config import BillingConfig
from unora_billing.domain.protections import Ending
from unora_billing.resources import Resources
from unora_billing.use_cases.closing import close_account, reopen_account
from unora_billing.use_cases.protections import end_connection
from unora_billing.use_cases.subscriptions import apply_restriction


class ConnectionEvents:
    """The end of a connection decides on the protections of its recoveries."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime

    @on(ConnectionEnded)
    async def on_connection_ended(self, event: ConnectionEnded, tx: Tx) -> None:
        """BI-05: which member ended it, and when that member acted, decides; the cause does not."""
        acted_at = event.acted_at if event.HasField("acted_at") else event.occurred_at
        ending = Ending(UUID(event.ended_by_id), from_timestamp(acted_at))
        await end_connection(tx, UUID(event.connection_id), ending)


class MemberEvents:
    """A suspension of a member ends the subscription, a closed account all that there is of money."""

    def __init__(self, runtime: Runtime[BillingConfig, Resources]) -> None:
        self.runtime = runtime

    @on(RestrictionChanged)
    async def on_restriction_changed(self, event: RestrictionChanged, tx: Tx) -> None:
        """SA-06: a suspended member's subscription ends at once."""
        await apply_restriction(tx, UUID(event.user_id), event.version, suspended=event.suspended)

    @on(AccountClosed)
    async def on_account_closed(self, event: AccountClosed, tx: Tx) -> None:
        """ID-09: the subscription ends, credits are forfeited, payments in progress are cancelled."""
        await close_account(tx, UUID(event.user_id), event.version, from_timestamp(event.occurred_at))

    @on(AccountHidden)
    async def on_account_hidden(self, event: AccountHidden, tx: Tx) -> None:
        """ID-13: as if the account had been closed, but its credits stay."""
        closed_at = from_timestamp(event.occurred_at)
        await close_account(tx, UUID(event.user_id), event.version, closed_at, keeps_credits=True)

    @on(AccountReopened)
    async def on_account_reopened(self, event: AccountReopened, tx: Tx) -> None:
        """ID-09: the member can pay again."""
        await reopen_account(tx, UUID(event.user_id), event.version)
