"""The permissions of every user of NATS, as the server's configuration.

Every context is a user. It publishes its own events, and reads exactly the subjects that it is given, through its own
consumers. The request that creates a consumer has the consumer's name and its one filter subject in its own subject, so
the server can restrict a user to them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from unora_common.streams import DEAD_LETTERS, stream

from unora_local.keys import write_private

# What each context reads: {context: filter subjects}.
Reads = Mapping[str, Iterable[str]]

ADMIN: Final = "admin"
ACCOUNT: Final = "unora"

# No other context learns of an interest before it is mutual (MA-10).
_INTEREST: Final = "interest"
_INTEREST_READERS: Final = frozenset({"discovery", "safety"})


def consumer(context: str, subject: str) -> str:
    """The durable name under which a context reads a subject: `streak__connection_formed`, `safety__all_streak`."""
    _, publisher, _, event = subject.split(".")
    return f"{context}__{f'all_{publisher}' if event == '>' else event}"


def user_name(context: str, account: str | None = None) -> str:
    """The NATS user of a context; with accounts, user names carry theirs, as they are unique in the server."""
    return context if account is None else f"{account}-{context}"


def permissions(context: str, reads: Iterable[str]) -> dict[str, Any]:
    """What the user of a context may publish and subscribe to."""
    publish = [
        f"unora.{context}.>",
        f"dead.{context}.>",
        f"wake.{context}",
        "$JS.API.INFO",
        # Not to create or update it: a stream can copy any other stream and republish it, past these permissions.
        f"$JS.API.STREAM.INFO.{stream(context)}",
    ]
    for subject in sorted(reads):
        _check(context, subject)
        name = consumer(context, subject)
        publish += _consume(stream(subject.split(".")[1]), name, subject)
        # The consumer's dead letters, for a replay.
        publish += _consume(DEAD_LETTERS, f"{name}__replay", f"dead.{context}.{name}")
    return {"publish": {"allow": publish}, "subscribe": {"allow": [f"_INBOX.{context}.>", f"wake.{context}"]}}


def _consume(source: str, name: str, subject: str) -> list[str]:
    """What a user publishes to have one consumer on a stream."""
    return [
        f"$JS.API.CONSUMER.CREATE.{source}.{name}.{subject}",
        f"$JS.API.CONSUMER.INFO.{source}.{name}",
        f"$JS.API.CONSUMER.DELETE.{source}.{name}",
        f"$JS.API.CONSUMER.MSG.NEXT.{source}.{name}",
        f"$JS.ACK.{source}.{name}.>",
    ]


def _check(context: str, subject: str) -> None:
    """Refuse a subject that permissions cannot express: it must be one event of a context, or all of them."""
    tokens = subject.split(".")
    if tokens[0] != "unora" or len(tokens) != 4 or "*" in subject or ">" in tokens[:3]:
        raise ValueError(f"{subject!r} is neither an event of one context nor all of them")
    interests = tokens[1] == "matching" and (tokens[3].startswith(_INTEREST) or tokens[3] == ">")
    if interests and context not in _INTEREST_READERS:
        raise ValueError(f"{context} may not read interests: {subject}")


def write(
    file: Path,
    *,
    port: int,
    monitoring_port: int | None = None,
    store: Path,
    passwords: Mapping[str, str],
    reads: Reads,
    accounts: Sequence[str] = (),
    host: str = "127.0.0.1",
) -> None:
    """Write the configuration, readable by its owner only. The users are the names in `passwords`. Monitoring asks for
    no password, so it is served on loopback, and only with `monitoring_port`.

    With `accounts`, each account has all the users and is separate from the others.
    """
    config: dict[str, Any] = {
        "server_name": "unora",
        "listen": f"{host}:{port}",
        "jetstream": {"store_dir": str(store)},
        "accounts": {
            account or ACCOUNT: {"jetstream": "enabled", "users": _users(passwords, reads, account)}
            for account in (accounts or (None,))
        },
    }
    if monitoring_port is not None:
        config["http"] = f"127.0.0.1:{monitoring_port}"
    write_private(file, json.dumps(config, indent=1).encode())


def _users(passwords: Mapping[str, str], reads: Reads, account: str | None) -> list[dict[str, Any]]:
    users = []
    for name, password in passwords.items():
        user: dict[str, Any] = {"user": user_name(name, account), "password": password}
        if name != ADMIN:
            user["permissions"] = permissions(name, reads.get(name, ()))
        users.append(user)
    return users
