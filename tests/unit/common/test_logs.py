"""Logs: only fields on the allow-list are written (XX-04)."""

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


def test_bound_fields_are_checked_too() -> None:
    to = StringIO()
    logger("streak", "info", to).bind(bio=SECRET).info("call")
    assert SECRET not in to.getvalue()


def _raise(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as raised:
        return raised


def test_a_failure_is_logged_with_its_type_and_traceback_but_not_its_message() -> None:
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
def test_the_description_of_an_error(error: BaseException, described: str) -> None:
    assert describe(error) == described


def test_a_line_below_the_level_is_not_written() -> None:
    to = StringIO()
    logger("streak", "warning", to).info("call")
    assert to.getvalue() == ""
