"""What SeaweedFS asks of its own callers, as its security.toml.

Behind the S3 stand further servers (filer, master, volumes, an administrator's), each with a port for HTTP and one for
gRPC. By itself it lets everybody on the machine use them. Here each demands a certificate of an authority that signs
nothing else, and the servers that hand out bytes a signed token besides.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

NAME: Final = "seaweed"
"""Of its certificate."""
GRPC: Final = ("master", "volume", "filer", "s3", "admin", "worker", "client", "mq", "msg_broker", "msg_agent")
HTTPS: Final = ("master", "volume", "filer", "admin")
SIGNED: Final = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")


class Files(NamedTuple):
    """Where SeaweedFS finds its authority, its certificate and its key."""

    ca: Path
    cert: Path
    key: Path


def new_key(_: str) -> str:
    """A key that no one else has to know."""
    return secrets.token_hex(32)


def security(files: Files, key: Callable[[str], str] = new_key) -> str:
    """The content of security.toml. `key` gives the key by which each kind of token is signed."""
    return "\n".join(_lines(files, key)) + "\n"


def _lines(files: Files, key: Callable[[str], str]) -> Iterator[str]:
    for name in SIGNED:
        yield from (f"[{name}]", f'key = "{key(name)}"')
    yield from ("[access]", "ui = false")
    yield from ("[grpc]", f"ca = {_quoted(files.ca)}")
    for name in GRPC:
        yield from (f"[grpc.{name}]", *_own(files))
    for name in HTTPS:
        yield from (f"[https.{name}]", *_own(files), f"ca = {_quoted(files.ca)}")
    yield from ("[https.client]", "enabled = true", *_own(files), f"ca = {_quoted(files.ca)}")


def _own(files: Files) -> tuple[str, str]:
    return f"cert = {_quoted(files.cert)}", f"key = {_quoted(files.key)}"


def _quoted(path: Path) -> str:
    return json.dumps(str(path))
