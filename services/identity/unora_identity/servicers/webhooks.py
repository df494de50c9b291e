"""WebhookService, for the carrier of sign-in codes."""

from __future__ import annotations

from typing import Final

from google.api.httpbody_pb2 import HttpBody
from unora.identity.v1.webhook_service_pb2 import ReceiveSmsStatusResponse
from unora_common.call import Call
from unora_common.handlers import custom_write
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.providers.code_alarm import DeliveryAlarm
from unora_identity.resources import Resources
from unora_identity.use_cases.text_messages import receive_report

SIGNATURE: Final = "x-twilio-signature"


class Webhooks:
    """The webhook of the carrier (ID-02)."""

    service = "unora.identity.v1.WebhookService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        self.alarm = DeliveryAlarm(runtime.log, runtime.metrics)

    @custom_write
    async def ReceiveSmsStatus(self, request: HttpBody, call: Call) -> ReceiveSmsStatusResponse:
        """ID-02: how far a code came; a repeat is recognised by the carrier's id and what it told before."""
        signature = str(call.metadata.get(SIGNATURE, ""))
        report = self.runtime.resources.sms.read_report(request.data, signature)
        await receive_report(self.runtime, self.alarm, report)
        return ReceiveSmsStatusResponse()
