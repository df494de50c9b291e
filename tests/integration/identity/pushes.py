"""What apps and the notifier call about devices."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from unora.identity.v1.device_service_pb2 import (
    NOTIFICATION_CATEGORY_SECURITY,
    NOTIFICATION_CATEGORY_STREAKS,
    PUSH_PLATFORM_FCM,
    Device,
    ListDevicesRequest,
    NotificationCategory,
    NotificationSettings,
    QuietHours,
    RegisterDeviceRequest,
    UpdateNotificationSettingsRequest,
)
from unora.identity.v1.device_service_pb2_grpc import DeviceServiceStub
from unora.identity.v1.notification_directory_service_pb2 import (
    GetRecipientsRequest,
    Recipient,
    ReportInvalidTokensRequest,
)
from unora.identity.v1.notification_directory_service_pb2_grpc import NotificationDirectoryServiceStub
from unora_testing.world import World

from tests.integration.identity.people import People, Signed
from tests.support import request_id

LONDON = ZoneInfo("Europe/London")
STREAKS, SECURITY = NOTIFICATION_CATEGORY_STREAKS, NOTIFICATION_CATEGORY_SECURITY


class Pushes:
    """What apps and the notifier call."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.people = People(world)
        self.devices = world.stub(DeviceServiceStub, "identity")
        self.directory = world.stub(NotificationDirectoryServiceStub, "identity", "notifier")

    @staticmethod
    def token() -> str:
        return f"token-{request_id()}"

    async def register(self, signed: Signed, token: str = "", *, locale: str = "", call: str = "") -> Device:
        asked = RegisterDeviceRequest(
            request_id=call or request_id(), platform=PUSH_PLATFORM_FCM, token=token or self.token(), locale=locale
        )
        return (await self.devices.RegisterDevice(asked, metadata=signed.metadata)).device

    async def listed(self, signed: Signed) -> list[Device]:
        return list((await self.devices.ListDevices(ListDevicesRequest(), metadata=signed.metadata)).devices)

    async def update(self, signed: Signed, **settings: Any) -> NotificationSettings:
        asked = UpdateNotificationSettingsRequest(request_id=request_id(), settings=NotificationSettings(**settings))
        return (await self.devices.UpdateNotificationSettings(asked, metadata=signed.metadata)).settings

    async def quiet_hours_now(self) -> QuietHours:
        """Quiet hours of who lives in London: they began an hour ago, and end in two, whenever the test runs."""
        begin = (await self.world.now() - timedelta(hours=1)).astimezone(LONDON)
        return QuietHours(begin=f"{begin:%H:%M}", end=f"{begin + timedelta(hours=3):%H:%M}")

    async def recipients(
        self, *members: Signed, category: NotificationCategory.ValueType = STREAKS
    ) -> dict[str, Recipient]:
        asked = GetRecipientsRequest(user_ids=[each.member.id for each in members], category=category)
        return {each.user_id: each for each in (await self.directory.GetRecipients(asked)).recipients}

    async def tokens(self, *members: Signed) -> list[str]:
        found = await self.recipients(*members)
        return sorted(target.token for each in found.values() for target in each.targets)

    async def report(self, *tokens: str) -> None:
        await self.directory.ReportInvalidTokens(ReportInvalidTokensRequest(request_id=request_id(), tokens=tokens))
