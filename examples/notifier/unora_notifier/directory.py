"""Whom a notifier may tell, as identity says (ID-17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import grpc
from unora.identity.v1.device_service_pb2 import NotificationCategory
from unora.identity.v1.notification_directory_service_pb2 import (
    GetRecipientsRequest,
    Recipient,
    ReportInvalidTokensRequest,
)
from unora.identity.v1.notification_directory_service_pb2_grpc import NotificationDirectoryServiceStub
from unora_sdk import ConfigError, RetryLater
from unora_sdk.certificates import Certificates
from unora_sdk.channels import RenewedChannel

ANSWER_WITHIN: Final = 10.0
"""Seconds."""
AWAY: Final = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
}


class Directory:
    """Identity's NotificationDirectoryService. While it is away, its methods raise RetryLater."""

    def __init__(self, channel: grpc.aio.Channel | RenewedChannel) -> None:
        self._channel = channel
        self._stub = NotificationDirectoryServiceStub(cast("grpc.aio.Channel", channel))

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Directory:
        """At UNORA_IDENTITY_ADDRESS, with UNORA_TLS_CA, UNORA_TLS_CERT and UNORA_TLS_KEY, which must have the URI
        `spiffe://unora/notifier`; when the files are replaced, calls go on with the new ones. Raises ConfigError.
        """
        try:
            address = environ["UNORA_IDENTITY_ADDRESS"]
            files = [Path(environ[f"UNORA_TLS_{name}"]) for name in ("CA", "CERT", "KEY")]
        except KeyError as error:
            raise ConfigError(f"{error.args[0]} is not set; .run/env of a stack of one machine has it") from None
        name = [("grpc.ssl_target_name_override", "identity.unora")]
        return cls(
            RenewedChannel(
                Certificates(*files).refresh,
                lambda credentials: grpc.aio.secure_channel(address, credentials, options=name),
                longest=ANSWER_WITHIN,
            )
        )

    async def close(self) -> None:
        """Ends the connection."""
        await self._channel.close()

    async def recipients(self, members: Sequence[str], category: NotificationCategory.ValueType) -> list[Recipient]:
        """Those of the members who may be told, and where."""
        asked = GetRecipientsRequest(user_ids=members, category=category)
        try:
            return list((await self._stub.GetRecipients(asked, timeout=ANSWER_WITHIN)).recipients)
        except grpc.aio.AioRpcError as error:
            raise _read(error) from error

    async def report_invalid(self, token: str, request_id: str) -> None:
        """A token leads nowhere any more; a repeat has the same request id."""
        asked = ReportInvalidTokensRequest(request_id=request_id, tokens=[token])
        try:
            await self._stub.ReportInvalidTokens(asked, timeout=ANSWER_WITHIN)
        except grpc.aio.AioRpcError as error:
            raise _read(error) from error


def _read(error: grpc.aio.AioRpcError) -> Exception:
    said = f"identity: {error.code().name} {error.details()}"
    return RetryLater(said) if error.code() in AWAY else RuntimeError(said)
