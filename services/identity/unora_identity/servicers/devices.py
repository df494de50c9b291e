"""DeviceService and NotificationDirectoryService: push messages, for the member and for the notifier (ID-17)."""

from __future__ import annotations

from uuid import UUID

from unora.identity.v1.device_service_pb2 import (
    GetNotificationSettingsRequest,
    GetNotificationSettingsResponse,
    ListDevicesRequest,
    ListDevicesResponse,
    RegisterDeviceRequest,
    RegisterDeviceResponse,
    UnregisterDeviceRequest,
    UnregisterDeviceResponse,
    UpdateNotificationSettingsRequest,
    UpdateNotificationSettingsResponse,
)
from unora.identity.v1.notification_directory_service_pb2 import (
    GetRecipientsRequest,
    GetRecipientsResponse,
    ReportInvalidTokensRequest,
    ReportInvalidTokensResponse,
)
from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.handlers import custom_read, custom_write, idempotent, reads
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.messages.devices import (
    CATEGORY_OF,
    PLATFORM_OF,
    from_settings,
    to_push_device,
    to_recipient,
    to_settings,
)
from unora_identity.resources import Resources
from unora_identity.servicers.requests import current_session
from unora_identity.store import notification_settings, push_devices
from unora_identity.use_cases.push_devices import (
    list_recipients,
    register_device,
    remove_invalid_tokens,
    unregister_device,
    update_settings,
)


class Devices:
    """Devices that get push messages, and the member's settings for them (ID-17)."""

    service = "unora.identity.v1.DeviceService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        self.resources = runtime.resources

    @idempotent(prepare=current_session)
    async def RegisterDevice(self, request: RegisterDeviceRequest, tx: Tx, current: UUID) -> RegisterDeviceResponse:
        """ID-17: the token of the app that calls, for its session."""
        platform = PLATFORM_OF[request.platform]
        device = await register_device(tx, self.resources, current, platform, request.token, request.locale)
        return RegisterDeviceResponse(device=to_push_device(device, current))

    @idempotent(prepare=current_session)
    async def UnregisterDevice(
        self, request: UnregisterDeviceRequest, tx: Tx, current: UUID
    ) -> UnregisterDeviceResponse:
        """ID-17: removes a device of the caller."""
        await unregister_device(tx, UUID(request.device_id), current)
        return UnregisterDeviceResponse()

    @custom_read
    async def ListDevices(self, request: ListDevicesRequest, call: Call) -> ListDevicesResponse:
        """ID-17: the caller's devices, without their tokens."""
        async with self.runtime.database.session(call.user) as db:
            found = await push_devices.list_own(db, self.resources.policy.push_devices_most)
        return ListDevicesResponse(devices=[to_push_device(device, call.session) for device in found])

    @reads
    async def GetNotificationSettings(
        self, request: GetNotificationSettingsRequest, db: Session
    ) -> GetNotificationSettingsResponse:
        """ID-17: what the caller wants to be told."""
        return GetNotificationSettingsResponse(settings=to_settings(await notification_settings.find(db, db.user)))

    @idempotent(prepare=current_session)
    async def UpdateNotificationSettings(
        self, request: UpdateNotificationSettingsRequest, tx: Tx, current: UUID
    ) -> UpdateNotificationSettingsResponse:
        """ID-17: replaces what the caller wants to be told."""
        settings = from_settings(request.settings)
        await update_settings(tx, settings, current)
        return UpdateNotificationSettingsResponse(settings=to_settings(settings))


class NotificationDirectory:
    """Whom a notifier may tell, when, in which language, and where (ID-17)."""

    service = "unora.identity.v1.NotificationDirectoryService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        self.resources = runtime.resources

    @reads
    async def GetRecipients(self, request: GetRecipientsRequest, db: Session) -> GetRecipientsResponse:
        """ID-17: those of the members who may be told."""
        users, category = [UUID(user) for user in request.user_ids], CATEGORY_OF[request.category]
        found = await list_recipients(db, self.resources, self.runtime.log, users, category)
        return GetRecipientsResponse(recipients=map(to_recipient, found))

    @custom_write
    async def ReportInvalidTokens(self, request: ReportInvalidTokensRequest, call: Call) -> ReportInvalidTokensResponse:
        """ID-17: removes tokens that lead nowhere; they cannot be removed twice."""
        async with self.runtime.database.transaction() as tx:
            await remove_invalid_tokens(tx, self.resources, request.tokens)
        return ReportInvalidTokensResponse()
