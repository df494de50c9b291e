"""Servers."""

from __future__ import annotations

from unora.common.v1.types_pb2 import ServerType as ServerTypeNumber
from unora.discovery.v1 import discovery_service_pb2
from unora_common.messages import (
    SERVER_NAMES,
    SERVERS,
)

from unora_discovery.domain.servers import Server, ServerType


def from_server_type(number: ServerTypeNumber.ValueType) -> ServerType:
    """A server that a request names."""
    return ServerType(SERVER_NAMES[number])


def to_server(server: Server) -> discovery_service_pb2.Server:
    """A server as the caller sees it."""
    return discovery_service_pb2.Server(
        server_type=SERVERS[server.server_type],
        name=server.name,
        description=server.description,
        joined=server.joined,
    )
