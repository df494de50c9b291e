"""RE-13: what lists show of partners, under reveal 5's own conditions."""

from __future__ import annotations

import asyncio
from uuid import UUID

from unora_common.pair_facts import are_connected
from unora_common.runtime import Runtime

from unora_reveal.clients import list_partner_names
from unora_reveal.config import RevealConfig
from unora_reveal.domain.reveals import PartnerName
from unora_reveal.resources import Resources
from unora_reveal.store import reveals


async def list_names(runtime: Runtime[RevealConfig, Resources], user_id: UUID) -> list[PartnerName]:
    """Names of all partners whose reveal 5 the member has opened, and whom they may see at this moment.

    As when reveal 5 is opened: identity decides by its own record, and then matching and safety are asked (RE-10). If
    one of them does not answer, the call fails.
    """
    async with runtime.database.session() as session:
        opened = await reveals.list_opened_identities(session, user_id)
    if not opened:
        return []
    names = await list_partner_names(runtime.clients, user_id, opened)
    connected = await asyncio.gather(*(_is_connected(runtime, name) for name in names))
    return [name for name, is_connected in zip(names, connected, strict=True) if is_connected]


async def _is_connected(runtime: Runtime[RevealConfig, Resources], name: PartnerName) -> bool:
    opened = name.identity
    return await are_connected(runtime.clients, opened.connection_id, opened.user_id, opened.partner_id)
