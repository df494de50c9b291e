"""DI-01: the three servers that members take part in."""

from dataclasses import dataclass
from enum import StrEnum


class ServerType(StrEnum):
    """Which of the three."""

    PARTNER = "partner"
    FRIEND = "friend"
    GROWTH = "growth"


@dataclass(frozen=True, slots=True)
class Server:
    """A server as one member sees it."""

    server_type: ServerType
    name: str
    description: str
    joined: bool
    """Whether the member is in it now."""
