"""DI-01: the three worlds a member takes part in."""

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
