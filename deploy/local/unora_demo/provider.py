"""The payment provider: as an app reaches it, with the secret that billing gave, and as our support and a member's bank
do, with the provider's secret key.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from unora.billing.v1.billing_service_pb2 import Confirmation
from unora_local.client import Unexpected
from unora_testing.deadlines import GENEROUS

GOOD_CARD: Final = "pm_card_visa"
BAD_CARD: Final = "pm_card_chargeDeclined"


@dataclass(frozen=True)
class Provider:
    """The sandbox provider of a stack."""

    url: str
    key: str
    """The provider's secret key."""

    async def confirm(self, confirmation: Confirmation, card: str = GOOD_CARD) -> str:
        """Confirm a payment; what the provider says of it, such as `succeeded`."""
        if not confirmation.client_secret:
            raise Unexpected("a payment to confirm was expected")
        form = {"client_secret": confirmation.client_secret, "payment_method": card}
        path = f"/v1/payment_intents/{confirmation.provider_payment_id}/confirm"
        return await asyncio.to_thread(self._post, path, form)

    async def refund(self, payment_id: str, amount: int) -> None:
        """Support gives back an amount of a payment."""
        await self._act("/v1/refunds", payment_intent=await self._find(payment_id), amount=str(amount))

    async def dispute(self, payment_id: str) -> str:
        """The payer's bank takes the money of a payment back; returns the dispute's id."""
        made = await self._act("/v1/test/disputes", payment_intent=await self._find(payment_id))
        return str(made["id"])

    async def close_dispute(self, dispute_id: str, status: str) -> None:
        """The bank decides: `won` or `lost`."""
        await self._act(f"/v1/test/disputes/{dispute_id}/close", status=status)

    async def _find(self, payment_id: str) -> str:
        query = urlencode({"query": f"metadata['payment_id']:'{payment_id}'"})
        found = await asyncio.to_thread(self._send, "GET", f"/v1/payment_intents/search?{query}", None)
        (intent,) = found["data"]
        return str(intent["id"])

    async def _act(self, path: str, **form: str) -> dict[str, Any]:
        answer = await asyncio.to_thread(self._send, "POST", path, form)
        if "error" in answer:
            raise Unexpected(f"the provider refuses {path}: {answer['error']['code']}")
        return answer

    def _post(self, path: str, form: dict[str, str]) -> str:
        answer = self._send("POST", path, form, with_key=False)
        return str(answer["error"]["code"] if "error" in answer else answer["status"])

    def _send(self, method: str, path: str, form: dict[str, str] | None, *, with_key: bool = True) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if with_key:
            headers["Authorization"] = f"Bearer {self.key}"
        with closing(HTTPConnection(urlsplit(self.url).netloc, timeout=GENEROUS)) as connection:
            connection.request(method, path, urlencode(form or {}), headers)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return answer
