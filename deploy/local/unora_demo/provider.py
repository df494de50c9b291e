"""The payment provider as an app reaches it: it confirms a payment with the secret that billing gave, and a card."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Final
from urllib.parse import urlencode, urlsplit

from unora.billing.v1.billing_service_pb2 import Confirmation
from unora_testing.deadlines import GENEROUS

from unora_demo.client import Unexpected

GOOD_CARD: Final = "pm_card_visa"
BAD_CARD: Final = "pm_card_chargeDeclined"


@dataclass(frozen=True)
class Provider:
    """The sandbox provider of a stack."""

    url: str

    async def confirm(self, confirmation: Confirmation, card: str = GOOD_CARD) -> str:
        """Confirm a payment; what the provider says of it, such as `succeeded`."""
        if not confirmation.client_secret:
            raise Unexpected("a payment to confirm was expected")
        form = {"client_secret": confirmation.client_secret, "payment_method": card}
        path = f"/v1/payment_intents/{confirmation.provider_payment_id}/confirm"
        return await asyncio.to_thread(self._post, path, form)

    def _post(self, path: str, form: dict[str, str]) -> str:
        with closing(HTTPConnection(urlsplit(self.url).netloc, timeout=GENEROUS)) as connection:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, urlencode(form), headers)
            answer = json.loads(connection.getresponse().read())
        return str(answer["error"]["code"] if "error" in answer else answer["status"])
