"""Events of identity about accounts that begin, close and come back (ID-09)."""

from __future__ import annotations

from uuid import UUID

from unora.identity.v1.events_pb2 import AccountClosed, AccountCreated, AccountHidden, AccountReopened
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_safety.config import SafetyConfig
from unora_safety.resources import Resources
from unora_safety.use_cases.sightings import queue
from unora_safety.use_cases.traces import drop_traces, keep_traces, look_for_traces


class AccountEvents:
    """Knows suspended members again, by keyed hashes of number and device."""

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @on(AccountCreated)
    async def on_account_created(self, event: AccountCreated, tx: Tx) -> None:
        """SA-04: is it a suspended member who has closed another account?"""
        kept = self.runtime.config.suspension_trace
        created_at = from_timestamp(event.occurred_at)
        queue(tx, await look_for_traces(tx, UUID(event.user_id), _digests(event), created_at, kept))

    @on(AccountClosed)
    async def on_account_closed(self, event: AccountClosed, tx: Tx) -> None:
        """ID-09: keeps what a suspended member would be known by."""
        closed_at = from_timestamp(event.occurred_at)
        queue(tx, await keep_traces(tx, UUID(event.user_id), _digests(event), closed_at))

    @on(AccountHidden)
    async def on_account_hidden(self, event: AccountHidden, tx: Tx) -> None:
        """ID-13: as if the account had been closed, and the new account of the number is known."""
        successor = UUID(event.new_user_id) if event.new_user_id else None
        hidden_at = from_timestamp(event.occurred_at)
        queue(tx, await keep_traces(tx, UUID(event.user_id), _digests(event), hidden_at, successor))

    @on(AccountReopened)
    async def on_account_reopened(self, event: AccountReopened, tx: Tx) -> None:
        """ID-09: the account itself carries the suspension again."""
        await drop_traces(tx, UUID(event.user_id), from_timestamp(event.occurred_at))


def _digests(event: AccountCreated | AccountClosed | AccountHidden) -> list[bytes]:
    return [digest for digest in (event.phone_digest, event.device_digest) if digest]
