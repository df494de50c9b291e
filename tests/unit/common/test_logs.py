"""Logs: only fields on the allow-list are written (XX-04)."""

from __future__ import annotations

from io import StringIO
from typing import Any
from uuid import UUID

import asyncpg
import grpc
import msgspec
import pytest
from unora_common.errors import DomainError
from unora_common.logs import ALLOWED, answered_calls, applied_events, describe, logger

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
    sentence = "It is refused."


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


def test_the_line_of_an_answered_call_is_what_the_logger_would_write() -> None:
    user, trace = UUID("00000000-0000-7000-8000-000000000001"), "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    usual, short = StringIO(), StringIO()
    fields = {"caller": 'gate"way', "user_id": str(user), "code": "OK", "seconds": 0.001235, "trace": trace}
    logger("streak", "info", usual).bind(method="/x").info("call", **fields)
    answered_calls(logger("streak", "info", short), "streak", "/x")('gate"way', user, 0.0012349, trace)
    (expected,), (line,) = lines(usual), lines(short)
    assert list(line.pop("timestamp"))
    assert line == {key: expected[key] for key in expected if key != "timestamp"}


def test_answered_calls_are_not_logged_below_the_level() -> None:
    to = StringIO()
    answered_calls(logger("streak", "warning", to), "streak", "/x")("gateway", None, 0.1, "")
    assert not to.getvalue()


def test_the_line_of_an_applied_event_has_only_fields_that_are_allowed() -> None:
    to, trace = StringIO(), "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    applied_events(logger("discovery", "info", to), "discovery", "discovery__checked_in")("e", "a", 0.0312349, trace)
    (line,) = lines(to)
    assert set(line) <= ALLOWED
    assert (line["event"], line["event_id"], line["aggregate_id"], line["lag"]) == ("event applied", "e", "a", 0.031235)
    assert (line["trace"], line["level"], line["service"]) == (trace, "info", "discovery")
