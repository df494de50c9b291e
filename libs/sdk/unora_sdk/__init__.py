"""A subscriber to Unora's events in a few lines.

    subscriber = Subscriber.from_environment(SqliteStore("events.db"))

    @subscriber.on(CheckedIn)
    async def checked_in(event: Event[CheckedIn], transaction: sqlite3.Connection) -> None: ...

    subscriber.run()

PostgresStore needs the extra `unora-sdk[postgres]`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unora_sdk.environment import ConfigError
    from unora_sdk.events import Event, RetryLater
    from unora_sdk.handling import Options
    from unora_sdk.postgres_store import PostgresStore
    from unora_sdk.settings import Settings
    from unora_sdk.sqlite_store import SqliteStore
    from unora_sdk.stores import DeadLetter, Store
    from unora_sdk.subscriber import Subscriber

__all__ = [
    "ConfigError",
    "DeadLetter",
    "Event",
    "Options",
    "PostgresStore",
    "RetryLater",
    "Settings",
    "SqliteStore",
    "Store",
    "Subscriber",
]

# A service of Unora that imports a name or the client of NATS loads no subscriber, and nobody needs every store.
_PLACES = {
    "ConfigError": "environment",
    "DeadLetter": "stores",
    "Event": "events",
    "Options": "handling",
    "PostgresStore": "postgres_store",
    "RetryLater": "events",
    "Settings": "settings",
    "SqliteStore": "sqlite_store",
    "Store": "stores",
    "Subscriber": "subscriber",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
