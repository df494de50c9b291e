"""Who may do what on NATS, as the server's configuration.

The streams are in an account that only the administrator enters. Every context is a user in an account of its own, and
reaches the streams through the services that its account imports: it publishes its own events, and takes messages from
its own consumers, which the platform makes. Whatever a server answers goes back to the account of the request and
nowhere else: inside one account an answer could be led into another context's stream by its reply subject
(docs/decisions/0028-each-context-has-an-account.md).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from unora_common.stream_settings import DEAD_LETTERS
from unora_common.streams import Durable, Reads, durables
from unora_sdk.names import inbox, stream
from unora_sdk.replaying import reset_subject

from unora_local.keys import write_private
from unora_local.subscribers import Subscriber

CONFIG: Final = "nats.conf"
"""The name of the file in the server's folder."""
ADMIN: Final = "admin"
ACCOUNT: Final = "unora"
"""The account with the streams."""

# No other context learns of an interest before it is mutual (MA-10).
_INTEREST: Final = "interest"
_INTEREST_READERS: Final = frozenset({"discovery", "safety"})


_INFO: Final = "$JS.API.INFO"
"""The server answers requests about consumers only to accounts that import this; no context may ask it."""


LIMITS: Final = {"max_connections": 20, "max_subscriptions": 200, "max_payload": 4096}
"""What a subscriber that is not Unora's may have at once. It sends only requests and acknowledgements, of few bytes."""


class Tls(NamedTuple):
    """Where the server finds the authority, its certificate and its key."""

    ca: Path
    cert: Path
    key: Path


def user_name(context: str, account: str | None = None) -> str:
    """The NATS user of a context, and its account. With accounts a name carries theirs: it is unique in the server."""
    return context if account is None else f"{account}-{context}"


def services(context: str, reads: Iterable[str]) -> list[str]:
    """All that a context can ask of the account with the streams. Each request has one answer."""
    reads = list(reads)
    for subject in reads:
        _check(context, subject)
    found = [
        f"unora.{context}.v1.*",
        f"unora.{context}.again.*.*",  # to one consumer
        f"$JS.API.CONSUMER.NAMES.{stream(context)}",  # to whom events can be published again
        f"dead.{context}.*",
    ]
    for each in durables(context, reads):
        found += _consuming(each)
    return found


def _consuming(consumer: Durable) -> list[str]:
    # Not to make or change the consumer: it could deliver to any subject, past these permissions.
    return [
        f"$JS.API.CONSUMER.INFO.{consumer.stream}.{consumer.name}",
        f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.name}",
        f"$JS.ACK.{consumer.stream}.{consumer.name}.>",
    ]


def permissions(context: str, reads: Iterable[str]) -> dict[str, Any]:
    """What the user of a context may publish and subscribe to, within its account."""
    wake = f"wake.{context}"
    return {
        "publish": {"allow": [*services(context, reads), wake]},
        "subscribe": {"allow": [f"{inbox(context)}.>", wake]},
    }


def services_of(subscriber: Subscriber) -> list[str]:
    """All that a subscriber that is not Unora's can ask: to take from its own consumers, and to go back in them.

    A reset changes only where a consumer stands, whatever else the request holds.
    """
    for subject in subscriber.subjects:
        _check(subscriber.name, subject)
    durables = subscriber.durables()
    resets = [reset_subject(each.stream, each.name) for each in durables]
    return [subject for each in durables for subject in _consuming(each)] + resets


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
    tls: Tls,
    accounts: Sequence[str] = (),
    host: str = "127.0.0.1",
    subscribers: Sequence[Subscriber] = (),
) -> None:
    """Write the configuration, readable by its owner only. The users are the names in `passwords`. Monitoring asks for
    no password, so it is served on loopback, and only with `monitoring_port`.

    With `accounts` there is a whole set of users, accounts and streams for each, separate from the others; subscribers
    are only for a server without.
    """
    config: dict[str, Any] = {
        "server_name": "unora",
        "listen": f"{host}:{port}",
        "jetstream": {"store_dir": str(store)},
        "tls": {
            "ca_file": str(tls.ca),
            "cert_file": str(tls.cert),
            "key_file": str(tls.key),
            "verify": True,  # a client without a certificate of the authority is refused
            "handshake_first": True,  # nothing is said in plain text before
            "min_version": "1.3",
        },
        "accounts": {
            name: found
            for account in (accounts or (None,))
            for name, found in _accounts(passwords, reads, account, subscribers).items()
        },
    }
    if monitoring_port is not None:
        config["http"] = f"127.0.0.1:{monitoring_port}"
    write_private(file, json.dumps(config, indent=1).encode())


def consumers(file: Path) -> list[str]:
    """The names of all consumers of events that this configuration opens to somebody; none if there is no file."""
    if not file.exists():
        return []
    exports = json.loads(file.read_bytes())["accounts"][ACCOUNT]["exports"]
    asked = [each["service"].split(".") for each in exports]
    return sorted({words[5] for words in asked if words[2:4] == ["CONSUMER", "INFO"] and words[4] != DEAD_LETTERS})


def _accounts(
    passwords: Mapping[str, str], reads: Reads, account: str | None, subscribers: Sequence[Subscriber]
) -> dict[str, Any]:
    home = account or ACCOUNT
    admin = {"user": user_name(ADMIN, account), "password": passwords[ADMIN]}
    exports: list[dict[str, Any]] = [{"service": _INFO}]
    found: dict[str, Any] = {home: {"jetstream": "enabled", "users": [admin], "exports": exports}}

    def add(name: str, password: str, asked: list[str], may: dict[str, Any]) -> None:
        exports.extend({"service": subject, "accounts": [name]} for subject in asked)
        imports = [{"service": {"account": home, "subject": subject}} for subject in (*asked, _INFO)]
        found[name] = {"users": [{"user": name, "password": password, "permissions": may}], "imports": imports}

    for context, password in passwords.items():
        if context != ADMIN:
            its = list(reads.get(context, ()))
            add(user_name(context, account), password, services(context, its), permissions(context, its))
    for each in subscribers:
        asked = services_of(each)
        may = {"publish": {"allow": asked}, "subscribe": {"allow": [f"{inbox(each.name)}.>"]}}
        add(each.name, each.password, asked, may)
        found[each.name]["limits"] = dict(LIMITS)
    return found
