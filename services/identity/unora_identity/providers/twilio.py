"""ID-02: Twilio as the carrier of codes, by plain HTTPS: a message is one POST, and its status comes back as webhooks.

Twilio's own library is not used: it brings 60 MB and a second HTTP client, for one request and one comparison of an
HMAC. Its scheme of signatures is tested with values that the library made. Neither a number nor a code gets into an
error: they are in the request, which no exception that leaves this module quotes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx
from unora_common.errors import InvalidArgument
from unora_common.provider_calls import ProviderCalls

from unora_identity.domain.deliveries import Delivery, DeliveryReport
from unora_identity.domain.phone_numbers import PhoneInvalid
from unora_identity.providers.gov_id import SignatureInvalid
from unora_identity.providers.sms import SmsUnavailable, text_of

MOST_BYTES: Final = 16_384
MOST_FIELDS: Final = 200
_MESSAGE_ID: Final = re.compile(r"[A-Za-z0-9]{1,64}")
_SERVICE: Final = re.compile(r"MG[0-9a-fA-F]{32}")
_NUMBER_REFUSED: Final = frozenset({21211, 21408, 21610, 21612, 21614})
"""No number, a country that the account does not send to, unsubscribed, out of reach, no mobile. Twilio may add codes.
With a code that is not in this list the call is refused with SMS_UNAVAILABLE; the message counts as not sent in both
cases.
"""
_RATE_LIMITED: Final = frozenset({14107, 20429, 21611})
_DELIVERIES: Final = {
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.DELIVERED,
    "undelivered": Delivery.FAILED,
    "failed": Delivery.FAILED,
    "canceled": Delivery.FAILED,
}
"""What comes before (accepted, scheduled, queued, sending), and statuses to come, tell nothing of use."""


class ReportUnreadable(InvalidArgument):
    """The signature is valid, but the body does not say which message has which status."""

    reason = "REPORT_UNREADABLE"
    sentence = "This report cannot be read."

    def __init__(self) -> None:
        super().__init__({})


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioSettings:
    """One account of Twilio."""

    account: str
    """The account's SID, AC…"""
    auth_token: str = field(repr=False)
    """The account's primary token: Twilio signs webhooks with it."""
    api_key: str = ""
    """The SID of an API key, SK…, by which requests are made; empty: by the account's token."""
    api_secret: str = field(default="", repr=False)
    sender: str
    """The SID of a Messaging Service, MG…, or a number or name of the account."""
    callback: str = ""
    """The public address of ReceiveSmsStatus, https; empty: Twilio tells nothing."""
    api: str = "https://api.twilio.com"
    timeout: float
    """Seconds for one message."""
    valid_for: int
    """Seconds after which Twilio gives a message up: its code is not valid any more."""


class TwilioSms:
    """One client per process, with its own connections."""

    def __init__(self, settings: TwilioSettings, calls: ProviderCalls) -> None:
        """Makes no call. Raises ValueError for settings that cannot be right."""
        _check(settings)
        self._settings = settings
        self._calls = calls
        user, secret = settings.api_key or settings.account, settings.api_secret or settings.auth_token
        self._http = httpx.AsyncClient(auth=(user, secret), timeout=settings.timeout, trust_env=False)
        self._url = f"{settings.api}/2010-04-01/Accounts/{settings.account}/Messages.json"

    async def send_code(self, to: str, code: str) -> str | None:
        """See SmsSender. It is tried once: Twilio has no key for repeats, and a second message would cost again."""
        form = {"To": to, "Body": text_of(code), "ValidityPeriod": str(self._settings.valid_for)}
        form["MessagingServiceSid" if _SERVICE.fullmatch(self._settings.sender) else "From"] = self._settings.sender
        if self._settings.callback:
            form["StatusCallback"] = self._settings.callback
        try:
            with self._calls.call("POST", self._url) as call:
                answer = await self._http.post(self._url, data=form)
                call.answered(answer.status_code)
            found = answer.json()
        except httpx.HTTPError:
            raise SmsUnavailable("no_answer") from None
        except ValueError:
            found = None
        if answer.status_code == httpx.codes.CREATED:
            return _message_id(found)
        raise _refusal(answer.status_code, found)

    def read_report(self, body: bytes, signature: str) -> DeliveryReport:
        """See SmsSender. Fields that Twilio adds are covered by the signature, and not read."""
        try:
            if len(body) > MOST_BYTES:
                raise SignatureInvalid
            fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:
            raise SignatureInvalid from None
        if not self._settings.callback or not self._is_signed(fields, signature):
            raise SignatureInvalid
        told = dict(fields)
        message_id, status = told.get("MessageSid", ""), told.get("MessageStatus", "")
        if not status or not _MESSAGE_ID.fullmatch(message_id):
            raise ReportUnreadable
        return DeliveryReport(message_id, _DELIVERIES.get(status))

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    def _is_signed(self, fields: list[tuple[str, str]], signature: str) -> bool:
        given = signature.encode(errors="replace")
        key = self._settings.auth_token.encode()
        # Twilio's machines differ in whether they write the port; its libraries take both.
        signed = [sign(key, address, fields) for address in _with_and_without_port(self._settings.callback)]
        return sum(hmac.compare_digest(each, given) for each in signed) > 0


def sign(key: bytes, address: str, fields: list[tuple[str, str]]) -> bytes:
    """Twilio's signature: the base64 of HMAC-SHA1 over the address and each distinct field, by name and value."""
    text = address + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.digest(key, text.encode(), hashlib.sha1))


def _with_and_without_port(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    host = parts.hostname or ""
    port = parts.port or 443
    return parts._replace(netloc=f"{host}:{port}").geturl(), parts._replace(netloc=host).geturl()


def _message_id(found: Any) -> str | None:
    """The id of a message that was accepted. A message without one was sent too, but no report can be matched to it."""
    sid = found.get("sid") if isinstance(found, dict) else None
    return sid if isinstance(sid, str) and _MESSAGE_ID.fullmatch(sid) else None


def _refusal(status: int, found: Any) -> Exception:
    code = found.get("code") if isinstance(found, dict) else None
    code = code if type(code) is int and 0 < code < 100_000 else None
    if code in _NUMBER_REFUSED:
        return PhoneInvalid()
    if status == httpx.codes.TOO_MANY_REQUESTS or code in _RATE_LIMITED:
        return SmsUnavailable("rate_limit")
    return SmsUnavailable(str(code or status))


def _check(settings: TwilioSettings) -> None:
    if not re.fullmatch(r"AC[0-9a-fA-F]{32}", settings.account):
        raise ValueError("the account is the SID that begins with AC")
    if not settings.auth_token or not settings.sender:
        raise ValueError("the token of the account and a sender are needed")
    if bool(settings.api_key) != bool(settings.api_secret):
        raise ValueError("an API key and its secret go together")
    if settings.callback and not settings.callback.startswith("https://"):
        raise ValueError("Twilio tells of messages by https")
    local = urlsplit(settings.api).hostname in ("127.0.0.1", "localhost")
    if not settings.api.startswith("https://") and not local:
        raise ValueError("Twilio is called by https")
