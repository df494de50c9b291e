"""Where a client calls from, as the gateway tells it: for limits per address (ID-11)."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from unora_common.call import Call, is_from_gateway

HEADER: Final = "unora-client-address"
"""The metadata with the client's IP address. A gateway sets it on each call, in place of what the client sent."""
OF_ONE_CLIENT: Final = 64
"""Bits of an IPv6 address that tell one client from another: it chooses the rest."""


def client_network(call: Call) -> str | None:
    """The client's IPv4 address or IPv6 network (/64), in one form. None if the call is not a gateway's, or if the
    gateway told no address that can be read.
    """
    told = call.metadata.get(HEADER)
    if not isinstance(told, str) or not is_from_gateway():
        return None
    try:
        address = ip_address(told.strip())
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), OF_ONE_CLIENT), strict=False))
