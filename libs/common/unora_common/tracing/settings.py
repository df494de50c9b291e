"""What the address of a collector and a share of traces may be, in services and in the gateway."""

from __future__ import annotations

from urllib.parse import urlsplit


def fault(prefix: str, endpoint: str, ratio: float) -> str:
    """Why an address, if there is one, or a share cannot be used, with the name of its variable, which begins with
    `prefix`; empty if both can.
    """
    if endpoint and not _is_address(endpoint):
        return (
            f"{prefix}TRACES_ENDPOINT cannot be used: give the address of a collector that takes OTLP over gRPC, such "
            "as http://collector:4317, or https://… for TLS"
        )
    if not 0 <= ratio <= 1:
        return f"{prefix}TRACES_RATIO is {ratio}: give a share between 0 and 1, such as 0.01"
    return ""


def _is_address(text: str) -> bool:
    """Whether it is http(s)://host:port."""
    try:
        address = urlsplit(text)
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port is not None
    except ValueError:
        return False
