"""What libraries and Python itself would print becomes lines of the log, as JSON and through the same allow-list.

The text of such a message may hold a member's data, so a line says only who speaks, where, and the kind of the error.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import warnings
from types import TracebackType
from typing import Any, TextIO

from unora_common.logs import Log


def capture_loop(log: Log, loop: asyncio.AbstractEventLoop) -> None:
    """From now on, errors that nobody awaits go to `log`."""

    def on_loop(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        task = context.get("task") or context.get("future")
        coroutine = task.get_coro() if isinstance(task, asyncio.Task) else None
        source = getattr(coroutine, "__qualname__", "event loop")
        log.error("unhandled error", source=source, failure=context.get("exception"))

    loop.set_exception_handler(on_loop)


def capture(log: Log) -> None:
    """From now on, what this process would print as plain text goes to `log`; `capture_loop` takes the rest."""

    def on_exception(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
        log.error("uncaught error", source="main", failure=error)

    def on_thread(arguments: threading.ExceptHookArgs) -> None:
        log.error("uncaught error", source="thread", failure=arguments.exc_value)

    def on_unraisable(arguments: sys.UnraisableHookArgs) -> None:
        source = getattr(arguments.object, "__qualname__", type(arguments.object).__name__)
        log.error("unraisable error", source=source, failure=arguments.exc_value)

    def on_warning(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        log.warning("warning", source=category.__name__, exception=[f"{filename}:{lineno}"])

    sys.excepthook, threading.excepthook, sys.unraisablehook = on_exception, on_thread, on_unraisable
    warnings.showwarning = on_warning
    logging.basicConfig(level=logging.WARNING, handlers=[_ToLog(log)], force=True)


class _ToLog(logging.Handler):
    """Records of `logging`. Only their level, logger and place are written, and the error that they carry."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        report = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        failure = record.exc_info[1] if record.exc_info else None
        at = f"{record.pathname}:{record.lineno} {record.funcName}"
        if failure is None:
            report("library message", source=record.name, exception=[at])
        else:
            report("library message", source=record.name, failure=failure)
