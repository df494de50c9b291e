"""ID-17: what a member wants to be told, and whom a notifier may tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from unora.identity.v1.device_service_pb2 import (
    PUSH_PLATFORM_APNS,
    GetNotificationSettingsRequest,
    ListDevicesRequest,
    NotificationSettings,
    QuietHours,
    RegisterDeviceRequest,
)
from unora.identity.v1.device_service_pb2_grpc import DeviceServiceStub
from unora.identity.v1.events_pb2 import NewDeviceSignedIn
from unora.identity.v1.notification_directory_service_pb2 import (
    GetRecipientsRequest,
    ReportInvalidTokensRequest,
)
from unora.identity.v1.notification_directory_service_pb2_grpc import NotificationDirectoryServiceStub
from unora_testing.world import World

from tests.integration.identity.people import ADA, Signed
from tests.integration.identity.pushes import SECURITY, STREAKS, Pushes
from tests.support import refusal, request_id

pytestmark = pytest.mark.rule("ID-17")


@pytest.fixture
def pushes(world: World) -> Pushes:
    return Pushes(world)


async def test_settings_are_replaced_whole_and_everything_is_on_at_first(pushes: Pushes) -> None:
    signed = await pushes.people.sign_in()
    asked = GetNotificationSettingsRequest()
    got = await pushes.devices.GetNotificationSettings(asked, metadata=signed.metadata)
    assert got.settings == NotificationSettings()
    full = {"muted": [STREAKS], "quiet_hours": QuietHours(begin="22:30", end="07:00"), "locale": "de"}
    for settings in (full, {"locale": "fr"}, full):
        assert await pushes.update(signed, **settings) == NotificationSettings(**settings)
        got = await pushes.devices.GetNotificationSettings(asked, metadata=signed.metadata)
        assert got.settings == NotificationSettings(**settings)


async def test_a_muted_category_is_not_told_and_security_cannot_be_muted(pushes: Pushes) -> None:
    signed = await pushes.people.sign_in()
    await pushes.register(signed)
    await pushes.update(signed, muted=[STREAKS])
    assert await pushes.recipients(signed) == {}
    assert set(await pushes.recipients(signed, category=SECURITY)) == {signed.member.id}
    refused = await refusal(pushes.update(signed, muted=[SECURITY]))
    assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", ["settings.muted[0]"])


async def test_quiet_hours_hold_back_until_they_end_in_the_members_zone(pushes: Pushes, world: World) -> None:
    signed = await pushes.people.sign_in()
    await pushes.people.update_profile(signed, ADA)  # Europe/London
    await pushes.register(signed)
    await pushes.update(signed, quiet_hours=QuietHours(begin="22:30", end="07:00"))
    now = await world.now()
    night = (now + timedelta(days=370)).replace(month=1, day=20, hour=23, minute=0, second=0, microsecond=0)
    if night < now:
        night = night.replace(year=night.year + 1)
    await world.move_clock(night)
    (recipient,) = (await pushes.recipients(signed)).values()
    ends = (night + timedelta(days=1)).replace(hour=7)  # in winter London has UTC
    assert recipient.not_before.ToDatetime(UTC) == ends
    (warned,) = (await pushes.recipients(signed, category=SECURITY)).values()
    assert not warned.HasField("not_before")
    await world.move_clock(ends)
    (recipient,) = (await pushes.recipients(signed)).values()
    assert not recipient.HasField("not_before")


async def test_the_members_locale_goes_before_that_of_the_device(pushes: Pushes) -> None:
    signed = await pushes.people.sign_in()
    await pushes.register(signed, locale="pt-BR")
    for locale, told in (("de", "de"), ("", "pt-BR")):
        await pushes.update(signed, locale=locale)
        (recipient,) = (await pushes.recipients(signed)).values()
        assert [target.locale for target in recipient.targets] == [told]


# The notifier


async def test_members_who_cannot_be_told_are_left_out_without_a_reason(pushes: Pushes) -> None:
    told, without = await pushes.people.sign_in(), await pushes.people.sign_in()
    await pushes.register(told)
    unknown = Signed(pushes.world.caller(), told.tokens, created=False)
    assert set(await pushes.recipients(without, unknown, told)) == {told.member.id}


async def test_many_members_are_told_of_in_one_answer_by_their_ids(pushes: Pushes) -> None:
    number = pushes.people.number()
    twice = [await pushes.people.sign_in(number) for _ in range(2)]
    members = [await pushes.people.sign_in() for _ in range(5)]
    tokens = [await _registered(pushes, each) for each in (*twice, *members)]
    asked = GetRecipientsRequest(user_ids=[each.member.id for each in (*members, twice[0])], category=STREAKS)
    recipients = (await pushes.directory.GetRecipients(asked)).recipients
    assert [each.user_id for each in recipients] == sorted(each.member.id for each in (*members, twice[0]))
    assert sorted(target.token for each in recipients for target in each.targets) == sorted(tokens)


async def test_a_member_whose_token_cannot_be_opened_holds_up_no_other(pushes: Pushes, world: World) -> None:
    damaged, other = await pushes.people.sign_in(), await pushes.people.sign_in()
    device = await pushes.register(damaged)
    token = await _registered(pushes, other)
    await world.superuser.execute(
        "UPDATE identity.push_devices SET token_sealed = token_sealed || 'x' WHERE id = $1", UUID(device.device_id)
    )
    assert await pushes.tokens(damaged, other) == [token]


async def _registered(pushes: Pushes, signed: Signed) -> str:
    token = pushes.token()
    await pushes.register(signed, token)
    return token


async def test_a_dead_token_is_removed_and_a_newer_one_of_the_device_stays(pushes: Pushes) -> None:
    signed, other = await pushes.people.sign_in(), await pushes.people.sign_in()
    old, new, kept = pushes.token(), pushes.token(), pushes.token()
    await pushes.register(signed, old)
    await pushes.register(signed, new)
    await pushes.register(other, kept)
    await pushes.report(old, pushes.token())
    assert await pushes.tokens(signed, other) == sorted((new, kept))
    await pushes.report(new)
    await pushes.report(new)
    assert await pushes.tokens(signed, other) == [kept]


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("caller", ["gateway", "developer", "discovery", "streak", "stranger"])
async def test_nobody_but_the_notifier_reads_tokens(pushes: Pushes, caller: str) -> None:
    stub = pushes.world.stub(NotificationDirectoryServiceStub, "identity", caller)
    asked = GetRecipientsRequest(user_ids=[request_id()], category=STREAKS)
    assert (await refusal(stub.GetRecipients(asked))).code == "PERMISSION_DENIED"
    report = ReportInvalidTokensRequest(request_id=request_id(), tokens=["token-token"])
    assert (await refusal(stub.ReportInvalidTokens(report))).code == "PERMISSION_DENIED"


@pytest.mark.rule("XX-03")
async def test_the_notifier_may_call_nothing_else_of_identity(pushes: Pushes) -> None:
    stub = pushes.world.stub(DeviceServiceStub, "identity", "notifier")
    signed = await pushes.people.sign_in()
    call = stub.ListDevices(ListDevicesRequest(), metadata=signed.metadata)
    assert (await refusal(call)).code == "PERMISSION_DENIED"


@pytest.mark.rule("ID-12")
async def test_a_sign_in_on_a_new_device_can_be_told_on_the_others_at_once(pushes: Pushes, world: World) -> None:
    number = pushes.people.number()
    owner = await pushes.people.sign_in(number, device="own")
    await pushes.register(owner, token := pushes.token())
    await pushes.update(owner, quiet_hours=await pushes.quiet_hours_now())
    stranger = await pushes.people.sign_in(number, device="another")
    await pushes.register(stranger)
    (event,) = await world.events(NewDeviceSignedIn, owner.member.id)
    (recipient,) = (await pushes.recipients(owner, category=SECURITY)).values()
    assert not recipient.HasField("not_before")
    assert [each.token for each in recipient.targets if each.session_id != event.session_id] == [token]


async def test_an_app_may_name_another_platform_for_its_session(pushes: Pushes) -> None:
    signed = await pushes.people.sign_in()
    await pushes.register(signed)
    asked = RegisterDeviceRequest(request_id=request_id(), platform=PUSH_PLATFORM_APNS, token=pushes.token())
    device = (await pushes.devices.RegisterDevice(asked, metadata=signed.metadata)).device
    assert [each.platform for each in await pushes.listed(signed)] == [PUSH_PLATFORM_APNS]
    assert datetime.now(UTC) - device.registered_at.ToDatetime(UTC) < timedelta(minutes=5)
