"""ID-11: the address of a client counts only from a gateway, and in one form."""

from __future__ import annotations

import contextvars

import pytest
from unora_common.call import Call, set_from_gateway
from unora_common.client_network import HEADER, client_network


def told(value: str | bytes | None, *, by_gateway: bool = True) -> str | None:
    call = Call("/unora.x.v1.X/X", "gateway", None, metadata={} if value is None else {HEADER: value})

    def read() -> str | None:
        if by_gateway:
            set_from_gateway()
        return client_network(call)

    return contextvars.Context().run(read)


@pytest.mark.rule("ID-11")
@pytest.mark.parametrize(
    ("value", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_an_address_has_one_form_and_ipv6_counts_by_64_bits(value: str, network: str) -> None:
    assert told(value) == network


@pytest.mark.rule("ID-11")
@pytest.mark.parametrize("value", [None, "", "unknown", "192.0.2.7, 198.51.100.1", "192.0.2.7:443", b"\x01"])
def test_what_is_no_address_is_none(value: str | bytes | None) -> None:
    assert told(value) is None


@pytest.mark.rule("ID-11")
def test_only_a_gateway_may_tell_the_address() -> None:
    assert told("192.0.2.7", by_gateway=False) is None
