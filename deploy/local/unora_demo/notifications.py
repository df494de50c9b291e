"""A member's phone gets a push token, and a notifier learns whom it may tell (ID-17)."""

from __future__ import annotations

from unora.identity.v1.device_service_pb2 import (
    NOTIFICATION_CATEGORY_DISCOVERY,
    NOTIFICATION_CATEGORY_SECURITY,
    NOTIFICATION_CATEGORY_STREAKS,
    PUSH_PLATFORM_FCM,
    ListDevicesRequest,
    NotificationCategory,
    NotificationSettings,
    QuietHours,
    RegisterDeviceRequest,
    UpdateNotificationSettingsRequest,
)
from unora.identity.v1.notification_directory_service_pb2 import (
    GetRecipientsRequest,
    PushTarget,
    ReportInvalidTokensRequest,
)
from unora_local.client import request_id

from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

MUTED = NOTIFICATION_CATEGORY_DISCOVERY
LOCALE = "pt-BR"


async def whom_to_tell(stage: Stage, note: Note) -> None:
    """Both of a couple register a token, and one mutes a category. The notifier, with a certificate of its own, reads
    whom it may tell, and a token that it reports dead goes.
    """
    tokens = {member.id: await _register(member) for member in stage.couple}
    await _mute(stage.one)
    for category, told in (
        (NOTIFICATION_CATEGORY_STREAKS, {stage.one.id, stage.other.id}),
        (NOTIFICATION_CATEGORY_SECURITY, {stage.one.id, stage.other.id}),
        (MUTED, {stage.other.id}),
    ):
        found = await _recipients(stage, category)
        expect("whom the notifier may tell", {each: tokens[each] for each in told}, _tokens(found))
    (target,) = (await _recipients(stage, NOTIFICATION_CATEGORY_STREAKS))[stage.one.id]
    expect("the language", LOCALE, target.locale)
    dead = ReportInvalidTokensRequest(request_id=request_id(), tokens=[tokens[stage.other.id]])
    await stage.gateway.call(stage.gateway.recipients.ReportInvalidTokens, dead)
    left = await stage.other.session.call(stage.gateway.devices.ListDevices, ListDevicesRequest())
    expect("the devices after their token was reported dead", [], list(left.devices))
    note.detail = "two phones; one mutes a category; a token that is dead goes"


async def _register(member: Member) -> str:
    token = f"push-token-of-{member.id}"
    asked = RegisterDeviceRequest(request_id=request_id(), platform=PUSH_PLATFORM_FCM, token=token, locale=LOCALE)
    await member.session.call(member.gateway.devices.RegisterDevice, asked)
    return token


async def _mute(member: Member) -> None:
    settings = NotificationSettings(muted=[MUTED], quiet_hours=QuietHours(begin="22:30", end="07:00"))
    asked = UpdateNotificationSettingsRequest(request_id=request_id(), settings=settings)
    await member.session.call(member.gateway.devices.UpdateNotificationSettings, asked)


async def _recipients(stage: Stage, category: NotificationCategory.ValueType) -> dict[str, list[PushTarget]]:
    asked = GetRecipientsRequest(user_ids=[member.id for member in stage.couple], category=category)
    answer = await stage.gateway.call(stage.gateway.recipients.GetRecipients, asked)
    return {each.user_id: list(each.targets) for each in answer.recipients}


def _tokens(found: dict[str, list[PushTarget]]) -> dict[str, str]:
    return {user: target.token for user, targets in found.items() for target in targets}
