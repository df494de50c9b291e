"""Events of identity."""

from __future__ import annotations

from unora.identity.v1.events_pb2 import (
    AccountClosed,
    AccountHidden,
    AccountPaused,
    AccountReopened,
    AccountResumed,
)
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.runtime import Runtime

from unora_matching.config import MatchingConfig
from unora_matching.messages import from_account
from unora_matching.use_cases.accounts import change_account


class AccountEvents:
    """Who is away, and who is back; of a member the newest event counts."""

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy

    @on(AccountPaused)
    async def on_account_paused(self, event: AccountPaused, tx: Tx) -> None:
        """ID-16: interests of and to the member wait."""
        await change_account(tx, from_account(event, paused=True), self.policy)

    @on(AccountResumed)
    async def on_account_resumed(self, event: AccountResumed, tx: Tx) -> None:
        """ID-16: interests that are mutual become connections."""
        await change_account(tx, from_account(event), self.policy)

    @on(AccountClosed)
    async def on_account_closed(self, event: AccountClosed, tx: Tx) -> None:
        """ID-09: connections and interests end, also those that came between the closing and now."""
        await change_account(tx, from_account(event, closed=True), self.policy)

    @on(AccountHidden)
    async def on_account_hidden(self, event: AccountHidden, tx: Tx) -> None:
        """ID-13: as if the account had been closed."""
        await change_account(tx, from_account(event, closed=True), self.policy)

    @on(AccountReopened)
    async def on_account_reopened(self, event: AccountReopened, tx: Tx) -> None:
        """ID-09: the member may match again; what ended stays ended."""
        await change_account(tx, from_account(event, paused=event.paused), self.policy)
