"""A connection to NATS that does not come about leaves nothing open."""

from __future__ import annotations

import gc
import socket
import ssl
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from unora_local import tls
from unora_sdk.nats_client import connect

from tests.support import run_apart

SILENT = 4
"""Seconds: that the server is silent is what the test is about."""


async def _quiet(_: Exception) -> None:
    """The refusal is what the test is about."""


def test_a_server_that_says_nothing_after_tls_is_left_without_an_open_connection(tmp_path: Path) -> None:
    """In a command, whose loop ends at once."""
    both = tls.ensure(tmp_path, ["streak", "nats"])
    own, its = both["streak"], both["nats"]
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(its.ca))
    serving.load_cert_chain(its.cert, its.key)

    async def enter(port: int) -> None:
        url, files = f"tls://streak:secret@127.0.0.1:{port}", (own.ca, own.cert, own.key)
        with pytest.raises(TimeoutError):
            await connect(url, *files, allow_reconnect=False, connect_timeout=SILENT, error_cb=_quiet)

    with socket.socket() as listening, ThreadPoolExecutor() as pool, warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = pool.submit(lambda: serving.wrap_socket(listening.accept()[0], server_side=True))
        run_apart(enter(listening.getsockname()[1]))
        gc.collect()
        server.result().close()
    assert [str(warning.message) for warning in seen if warning.category is ResourceWarning] == []
