"""ID-02: codes that a carrier sends, against a server that speaks its API, and what it tells of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from prometheus_client import generate_latest
from unora.identity.v1.webhook_service_pb2_grpc import WebhookServiceStub
from unora_common.common_metrics import COMMON_METRICS
from unora_common.metrics import Metrics
from unora_identity.resources import make_resources
from unora_identity.service import service
from unora_identity.use_cases import background
from unora_sdk.environment import ConfigError
from unora_testing.deadlines import eventually
from unora_testing.world import World

from tests.integration.identity.conftest import Replica
from tests.integration.identity.people import People
from tests.support import read_refusal, refusal, request_id
from tests.twilio import API_SECRET, AUTH_TOKEN, CALLBACK, FakeTwilio, settings, signature

pytestmark = pytest.mark.rule("ID-02")


@dataclass
class Carried:
    """A process of identity whose codes the stand-in sends."""

    people: People
    twilio: FakeTwilio
    hook: WebhookServiceStub

    async def ask(self, number: str = "", request: str = "", device: str = "") -> dict[str, str]:
        """Asks for a code; returns the message that carries it, with its challenge."""
        number = number or People.number()
        started = await self.people.start(number, request, device)
        return {**self.twilio.sent_to(number)[-1], "challenge": started.challenge_id}

    async def tell(self, message: dict[str, str], status: str, **others: str) -> None:
        body, signed = self.twilio.tell(message, status, **others)
        await self.post(body, signed)

    async def post(self, body: bytes, signed: str) -> None:
        await self.hook.ReceiveSmsStatus(HttpBody(data=body), metadata=(("x-twilio-signature", signed),))

    async def delivery(self, message: dict[str, str]) -> str | None:
        (row,) = await self.people.rows("text_messages", message_id=message["Sid"])
        return str(row["delivery"]) if row["delivery"] else None


@pytest.fixture
async def twilio() -> AsyncIterator[FakeTwilio]:
    fake = FakeTwilio()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def carried(replica: Replica, twilio: FakeTwilio) -> Carried:
    people = await replica(**settings(twilio))
    return Carried(people, twilio, WebhookServiceStub(people.channel))


async def test_a_code_goes_by_the_carrier_and_signs_in(carried: Carried) -> None:
    number = People.number()
    message = await carried.ask(number)
    assert set(message) == {"To", "Body", "ValidityPeriod", "MessagingServiceSid", "StatusCallback", "Sid", "challenge"}
    assert (message["To"], message["StatusCallback"], message["ValidityPeriod"]) == (number, CALLBACK, "600")
    assert (await carried.people.verify(message["challenge"], carried.twilio.code(number))).created


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ((400, 21211), ("INVALID_ARGUMENT", "PHONE_INVALID")),
        ((400, 21614), ("INVALID_ARGUMENT", "PHONE_INVALID")),
        ((400, 21610), ("INVALID_ARGUMENT", "PHONE_INVALID")),
        ((429, 20429), ("UNAVAILABLE", "SMS_UNAVAILABLE")),
        ((401, 20003), ("UNAVAILABLE", "SMS_UNAVAILABLE")),
        ((400, 21999), ("UNAVAILABLE", "SMS_UNAVAILABLE")),
        ((503, None), ("UNAVAILABLE", "SMS_UNAVAILABLE")),
        ((302, None), ("UNAVAILABLE", "SMS_UNAVAILABLE")),
    ],
)
async def test_a_message_that_the_carrier_does_not_take_is_a_code_that_does_not_count(
    carried: Carried, answer: tuple[int, int | None], wanted: tuple[str, str]
) -> None:
    number, call = People.number(), request_id()
    carried.twilio.refusals[number] = answer
    for _ in range(7):
        refused = await refusal(carried.people.start(number, call))
        assert (refused.code, refused.reason) == wanted
        assert number not in str(refused)
    del carried.twilio.refusals[number]
    for _ in range(5):
        await carried.people.start(number)
    assert (await refusal(carried.people.start(number))).reason == "TOO_MANY_CODES"


async def test_a_carrier_that_is_slow_or_away_is_unavailable(replica: Replica, twilio: FakeTwilio) -> None:
    people = await replica(**settings(twilio), code_sending_seconds=0.2)
    twilio.hold.clear()
    number, call = People.number(), request_id()
    assert (await refusal(people.start(number, call))).reason == "SMS_UNAVAILABLE"
    twilio.hold.set()

    async def is_sent() -> bool:  # on a busy machine it may be too slow again
        try:
            await people.start(number, call)
        except grpc.aio.AioRpcError as error:
            if read_refusal(error).reason != "SMS_UNAVAILABLE":
                raise
            return False
        return True

    await eventually(is_sent, "the carrier is quick enough")
    assert len(twilio.sent_to(number)) >= 1
    await twilio.stop()
    assert (await refusal(people.start(People.number()))).reason == "SMS_UNAVAILABLE"
    await twilio.start()  # for the fixture, which stops it


async def test_a_code_that_did_not_arrive_makes_room_for_another(carried: Carried) -> None:
    number = People.number()
    sent = [await carried.ask(number) for _ in range(5)]
    assert (await refusal(carried.people.start(number))).reason == "TOO_MANY_CODES"
    await carried.tell(sent[0], "undelivered", ErrorCode="30003")
    await carried.ask(number)
    assert (await refusal(carried.people.start(number))).reason == "TOO_MANY_CODES"
    # It may have arrived all the same.
    code = carried.twilio.sent_to(number)[0]["Body"].split()[0]
    assert (await carried.people.verify(sent[0]["challenge"], code)).created


async def test_no_more_failures_make_room_than_codes_are_allowed(carried: Carried) -> None:
    number = People.number()
    for _ in range(5):
        await carried.tell(await carried.ask(number), "failed")
    for _ in range(5):
        await carried.tell(await carried.ask(number), "failed")
    assert (await refusal(carried.people.start(number))).reason == "TOO_MANY_CODES"


async def test_a_repeat_of_the_call_sends_no_second_message_though_the_first_failed(carried: Carried) -> None:
    number, call = People.number(), request_id()
    first = await carried.ask(number, call)
    await carried.tell(first, "failed")
    assert (await carried.ask(number, call))["challenge"] == first["challenge"]
    assert len(carried.twilio.sent_to(number)) == 1


@pytest.mark.parametrize(
    ("statuses", "stands"),
    [
        (["queued", "sending"], None),
        (["queued", "sent", "delivered"], "delivered"),
        (["delivered", "sent", "queued"], "delivered"),
        (["failed", "sent"], "failed"),
        (["sent", "undelivered"], "failed"),
        (["undelivered", "delivered"], "delivered"),
        (["delivered", "failed"], "delivered"),
        (["read", "a status to come"], "delivered"),
        (["canceled"], "failed"),
    ],
)
async def test_statuses_are_applied_once_and_in_any_order(
    carried: Carried, statuses: list[str], stands: str | None
) -> None:
    message = await carried.ask()
    for _ in range(2):
        for status in statuses:
            await carried.tell(message, status)
    assert await carried.delivery(message) == stands


async def test_all_statuses_at_once_leave_the_one_that_stands(carried: Carried) -> None:
    message = await carried.ask()
    await asyncio.gather(*(carried.tell(message, status) for status in ("sent", "failed", "delivered") * 5))
    assert await carried.delivery(message) == "delivered"


async def test_a_status_may_come_before_the_answer_that_names_the_message(
    carried: Carried, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = carried.people.resources.sms.send_code

    async def told_first(to: str, code: str) -> str | None:
        message_id = await send(to, code)
        await carried.tell(carried.twilio.sent_to(to)[-1], "failed")
        return message_id

    number = People.number()
    with monkeypatch.context() as early:
        early.setattr(carried.people.resources.sms, "send_code", told_first)
        sent = [await carried.ask(number) for _ in range(5)]
    for message in sent:
        (row,) = await carried.people.rows("text_messages", message_id=message["Sid"])
        assert (str(row["challenge_id"]), row["delivery"]) == (message["challenge"], "failed")
    await carried.ask(number)  # those that failed made room


async def test_a_webhook_without_the_right_signature_changes_nothing(carried: Carried) -> None:
    message = await carried.ask()
    body, signed = carried.twilio.tell(message, "failed")
    told = {"MessageSid": message["Sid"], "MessageStatus": "failed"}
    wrong = [
        (body, ""),
        (body, ("B" if signed.startswith("A") else "A") + signed[1:]),
        (body, signed.encode().hex()),
        (body, "x" * 5_000),
        (body + b"&Added=1", signed),
        (body.replace(b"failed", b"sent"), signed),
        (b"", signed),
        (b"\xff\xfe", signed),
        (urlencode(told).encode(), signature(told, token="another")),
        (urlencode(told).encode(), signature(told, address="https://elsewhere.example/v1/webhooks/sms")),
        (urlencode({**told, "Padding": "x" * 20_000}).encode(), signature({**told, "Padding": "x" * 20_000})),
    ]
    for sent, header in wrong:
        refused = await refusal(carried.post(sent, header))
        assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "SIGNATURE_INVALID")
    assert await carried.delivery(message) is None
    for unreadable in ({"MessageStatus": "failed"}, {"MessageSid": "a b", "MessageStatus": "failed"}, {"a": "b"}):
        refused = await refusal(carried.post(urlencode(unreadable).encode(), signature(unreadable)))
        assert refused.reason == "REPORT_UNREADABLE"


async def test_the_signature_may_cover_the_address_with_its_port(carried: Carried) -> None:
    message = await carried.ask()
    told = {"MessageSid": message["Sid"], "MessageStatus": "delivered", "Emoji": "ü + & =", "Empty": ""}
    address = CALLBACK.replace(".example/", ".example:443/")
    await carried.post(urlencode(told).encode(), signature(told, address))
    assert await carried.delivery(message) == "delivered"


async def test_where_no_carrier_is_configured_nobody_tells_anything(world: World) -> None:
    told = {"MessageSid": "SM1", "MessageStatus": "failed"}
    hook = world.stub(WebhookServiceStub, "identity")
    call = hook.ReceiveSmsStatus(
        HttpBody(data=urlencode(told).encode()), metadata=(("x-twilio-signature", signature(told)),)
    )
    assert (await refusal(call)).reason == "SIGNATURE_INVALID"


@pytest.mark.rule("XX-04")
async def test_where_only_an_account_is_sent_codes_failures_do_not_tell_that_it_is_there(
    carried: Carried, replica: Replica
) -> None:
    """ID-11: a landline is answered alike with and without an account, also when nothing arrives there."""
    landline, without = "+493012345680", "+493012345681"
    before = await replica(phone_prefixes_allowed=(landline,))
    await before.sign_in(landline)
    await carried.people.world.move_clock(timedelta(hours=1))
    for number in (landline, without):
        for _ in range(5):
            assert (await refusal(carried.people.start(number))).reason == "PHONE_INVALID"
            await asyncio.gather(*background._running)
            for message in carried.twilio.sent_to(number):
                await carried.tell(message, "failed")
        assert (await refusal(carried.people.start(number))).reason == "TOO_MANY_CODES"
    assert (len(carried.twilio.sent_to(landline)), len(carried.twilio.sent_to(without))) == (5, 0)


async def test_no_log_line_and_no_metric_holds_a_number_or_a_code(
    replica: Replica, twilio: FakeTwilio, capfd: pytest.CaptureFixture[str]
) -> None:
    people = await replica(**settings(twilio), log_level="debug")
    hook, number = WebhookServiceStub(people.channel), People.number()
    carried = Carried(people, twilio, hook)
    await carried.tell(await carried.ask(number), "undelivered", ErrorCode="30003")
    for answer in ((429, 20429), (400, 21211), (500, None)):
        twilio.refusals["*"] = answer
        await refusal(people.start(number))
    logs, metrics = capfd.readouterr().out, generate_latest(people.app.metrics.registry).decode()
    for line in ("codes not sent", "rate_limit", "number_refused", "codes not delivered"):
        assert line in logs
    assert 'unora_codes_unsent_total{cause="rate_limit"} 1.0' in metrics
    assert 'unora_codes_told_total{delivery="failed"} 1.0' in metrics
    for outcome, requests in (("ok", 1), ("refused", 2), ("failed", 1)):
        series = f'unora_provider_call_duration_seconds_count{{outcome="{outcome}",provider="twilio"}}'
        assert f"{series} {requests}.0" in metrics
    for text in (logs, metrics):
        for secret in (number, twilio.code(number), AUTH_TOKEN, API_SECRET):
            assert secret not in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sms_sandbox": "/tmp/x"}, "set exactly one"),
        ({"twilio_account": ""}, "set exactly one"),
        ({"twilio_account": "SK1"}, "begins with AC"),
        ({"twilio_sender": ""}, "a sender"),
        ({"twilio_api_secret": ""}, "go together"),
        ({"twilio_callback": "http://api.unora.example"}, "by https"),
        ({"twilio_api": "http://api.twilio.example"}, "by https"),
    ],
)
def test_settings_that_cannot_be_right_are_named_at_start(world: World, changes: dict[str, Any], says: str) -> None:
    config: Any = world.config(service, {}, **{**settings(FakeTwilio(url="http://127.0.0.1:1")), **changes})
    with pytest.raises(ConfigError, match=says):
        make_resources(config, Metrics(COMMON_METRICS))
