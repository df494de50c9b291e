"""Logs: only what is named can be written (XX-04)."""

from __future__ import annotations

from io import StringIO
from typing import Any

import asyncpg
import grpc
import msgspec
import pytest
from unora_common.errors import DomainError
from unora_common.logs import describe, logger

pytestmark = pytest.mark.rule("XX-04")

SECRET = "Anna"


def lines(to: StringIO) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in to.getvalue().splitlines()]


def test_a_field_that_is_not_on_the_list_is_dropped_and_named() -> None:
    to = StringIO()
    logger("streak", "info", to).info("call", method="/x", phone=SECRET, name=SECRET)
    (line,) = lines(to)
    assert SECRET not in to.getvalue()
    assert (line["event"], line["method"], line["service"], line["level"]) == ("call", "/x", "streak", "info")
    assert line["names"] == "not on the allow-list: phone, name"


def test_bound_fields_are_held_to_it_too() -> None:
    to = StringIO()
    logger("streak", "info", to).bind(bio=SECRET).info("call")
    assert SECRET not in to.getvalue()


def _raise(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as raised:
        return raised


def test_a_failure_is_its_kind_and_its_lines_but_not_its_words() -> None:
    to = StringIO()
    logger("streak", "info", to).error("call failed", failure=_raise(ValueError(SECRET)))
    (line,) = lines(to)
    assert SECRET not in to.getvalue()
    assert line["error"] == "ValueError"
    assert line["exception"][0].endswith("_raise")


class Refused(DomainError):
    reason = "REFUSED"


@pytest.mark.parametrize(
    ("error", "described"),
    [
        (ValueError(SECRET), "ValueError"),
        (KeyError(SECRET), "KeyError"),
        (Refused(name=SECRET), "Refused REFUSED FAILED_PRECONDITION"),
        (asyncpg.UniqueViolationError(SECRET), "UniqueViolationError 23505"),
        (
            grpc.aio.AioRpcError(grpc.StatusCode.NOT_FOUND, grpc.aio.Metadata(), grpc.aio.Metadata(), details=SECRET),
            "AioRpcError StatusCode.NOT_FOUND",
        ),
    ],
)
def test_what_is_said_of_an_error(error: BaseException, described: str) -> None:
    assert describe(error) == described


def test_below_its_level_nothing_is_written() -> None:
    to = StringIO()
    logger("streak", "warning", to).info("call")
    assert to.getvalue() == ""
