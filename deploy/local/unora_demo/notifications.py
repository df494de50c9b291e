"""Members' phones get push tokens, and a notifier learns whom it may tell (ID-17)."""

from __future__ import annotations

from typing import Final

from unora.identity.v1.device_service_pb2 import (
    NOTIFICATION_CATEGORY_REVEALS,
    PUSH_PLATFORM_FCM,
    ListDevicesRequest,
    NotificationSettings,
    QuietHours,
    RegisterDeviceRequest,
    UpdateNotificationSettingsRequest,
)
from unora.identity.v1.notification_directory_service_pb2 import GetRecipientsRequest, ReportInvalidTokensRequest
from unora_local.at_once import for_all
from unora_local.client import request_id

from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

MUTED: Final = NOTIFICATION_CATEGORY_REVEALS
MUTED_KIND: Final = "reveal ready"
"""What the notifier tells in this category."""
LOCALES: Final = ("pt-BR", "en-GB")


async def phones(stage: Stage, note: Note) -> None:
    """All register a token, and the first of the couple mutes a category. A token that is reported dead goes, and the
    phone gets another one. The notifier hears of the rest of the story by events.
    """
    dead = await _register(stage.other, "dead")
    await stage.gateway.call(
        stage.gateway.recipients.ReportInvalidTokens,
        ReportInvalidTokensRequest(request_id=request_id(), tokens=[dead]),
    )
    left = await stage.other.session.call(stage.gateway.devices.ListDevices, ListDevicesRequest())
    expect("the devices after their token was reported dead", [], list(left.devices))
    await for_all(stage.members, _register, lambda ready: note.now(f"{ready} of {len(stage.members)}"))
    await _mute(stage.one)
    asked = GetRecipientsRequest(user_ids=[member.id for member in stage.couple], category=MUTED)
    found = (await stage.gateway.call(stage.gateway.recipients.GetRecipients, asked)).recipients
    expect("whom the notifier may tell", [stage.other.id], [each.user_id for each in found])
    note.detail = f"{len(stage.members)} phones; one mutes a category; a token that is dead goes"


async def _register(member: Member, word: str = "push") -> str:
    token, locale = f"{word}-token-of-{member.id}", LOCALES[member.number % len(LOCALES)]
    asked = RegisterDeviceRequest(request_id=request_id(), platform=PUSH_PLATFORM_FCM, token=token, locale=locale)
    await member.session.call(member.gateway.devices.RegisterDevice, asked)
    return token


async def _mute(member: Member) -> None:
    settings = NotificationSettings(muted=[MUTED], quiet_hours=QuietHours(begin="22:30", end="07:00"))
    asked = UpdateNotificationSettingsRequest(request_id=request_id(), settings=settings)
    await member.session.call(member.gateway.devices.UpdateNotificationSettings, asked)
