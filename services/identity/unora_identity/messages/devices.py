"""Devices, settings, and whom a notifier may tell."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from unora.identity.v1 import (
    device_service_pb2,
    notification_directory_service_pb2,
)
from unora_common.messages import by_name, to_timestamp

from unora_identity.domain.notifications import (
    Category,
    Platform,
    PushDevice,
    Recipient,
    Settings,
    read_locale,
    read_quiet_hours,
)

PLATFORMS: Final = by_name(device_service_pb2.PushPlatform)
PLATFORM_OF: Final = {number: Platform(name) for name, number in PLATFORMS.items()}
CATEGORIES: Final = by_name(device_service_pb2.NotificationCategory)
CATEGORY_OF: Final = {number: Category(name) for name, number in CATEGORIES.items()}


def to_push_device(device: PushDevice, current: UUID | None) -> device_service_pb2.Device:
    """A device as its member sees it, without the token. `current` is the session of the call."""
    return device_service_pb2.Device(
        device_id=str(device.id),
        platform=PLATFORMS[device.platform],
        locale=device.locale,
        registered_at=to_timestamp(device.registered_at),
        session_id=str(device.session_id),
        current=device.session_id == current,
    )


def to_settings(settings: Settings) -> device_service_pb2.NotificationSettings:
    """What a member wants to be told."""
    quiet = settings.quiet
    hours = device_service_pb2.QuietHours(begin=f"{quiet.begin:%H:%M}", end=f"{quiet.end:%H:%M}") if quiet else None
    muted = sorted(CATEGORIES[category] for category in settings.muted)
    return device_service_pb2.NotificationSettings(muted=muted, quiet_hours=hours, locale=settings.locale)


def from_settings(settings: device_service_pb2.NotificationSettings) -> Settings:
    """What a member wants to be told. Raises InvalidArgument for texts that are no times, or no locale."""
    hours = settings.quiet_hours
    return Settings(
        muted=frozenset(CATEGORY_OF[category] for category in settings.muted),
        quiet=read_quiet_hours(hours.begin, hours.end) if settings.HasField("quiet_hours") else None,
        locale=read_locale("settings.locale", settings.locale),
    )


def to_recipient(recipient: Recipient) -> notification_directory_service_pb2.Recipient:
    """A member whom the notifier may tell something. This is the only message that holds push tokens."""
    return notification_directory_service_pb2.Recipient(
        user_id=str(recipient.user_id),
        not_before=to_timestamp(recipient.not_before),
        targets=[
            notification_directory_service_pb2.PushTarget(
                device_id=str(target.device.id),
                platform=PLATFORMS[target.device.platform],
                token=target.token,
                locale=target.locale,
                session_id=str(target.device.session_id),
            )
            for target in recipient.targets
        ],
    )
