"""The process of a service: `python -m unora_<context>`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import sys
import zoneinfo
from collections.abc import Coroutine
from importlib.metadata import version
from typing import Any, TypeVar

import uvloop
from unora_sdk.environment import ConfigError, given

from unora_common import database_url, republish_options
from unora_common.app import App
from unora_common.config import Config, load
from unora_common.declarations import load_service
from unora_common.event_names import UnknownEventError
from unora_common.logs import describe, logger
from unora_common.metrics_server import serve_metrics
from unora_common.replay import Replay
from unora_common.republish import Republish
from unora_common.republish_options import NotRepublishableError
from unora_common.server import ContractError
from unora_common.service import Service
from unora_common.stray_output import capture, capture_loop
from unora_common.transient import is_transient

EXIT_INTERRUPTED = 130
"""The exit status of a command that a signal ended, as shells have it for Ctrl-C."""
REPUBLISH = (
    "Publishes events again, with their ids, times and bytes, and with the header unora-again: without options all "
    "that the outbox holds, to all consumers, which restores a stream that was lost. It may run beside the service: "
    "consumers skip what they have applied. Exit status: 0 done, 1 not done (run it again), 2 wrong options, "
    "130 stopped by a signal."
)
C = TypeVar("C", bound=Config)
R = TypeVar("R")
GC_THRESHOLDS = (10_000, 10, 10)
"""How many new objects start a collection, by generation. Calls in work hold more than Python's own 700."""


def start(context: str) -> int:
    """`python -m unora_<context>`. From here on errors are lines of the log, those of the service's own imports too."""
    capture(logger(context, "info"))
    return main(load_service(context))


def main(service: Service[C, R], arguments: list[str] | None = None) -> int:
    """Parses the command line, reads the configuration, and runs until SIGTERM or SIGINT. Returns the exit code."""
    options = _parser(service).parse_args(arguments)
    zoneinfo.reset_tzpath(to=())  # the zones of the locked tzdata, not this machine's: replicas must agree on midnights
    if options.command == "migrate":
        return _migrate(service)
    try:
        app = App(service, load(service.config))
    except (ConfigError, OSError) as error:  # OSError of a certificate's file
        print(f"unora_{service.name}: {error}", file=sys.stderr)
        return 2
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(app, options))


def _parser(service: Service[C, R]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m unora_{service.name}",
        description=f"The {service.name} service of Unora. Configuration comes from UNORA_* variables.",
    )
    parser.add_argument(
        "--role",
        choices=("all", "api", "worker"),
        default="all",
        help="api serves calls; worker runs relay, consumers and jobs; all does both (default)",
    )
    commands = parser.add_subparsers(dest="command", metavar="command", help="instead of serving:")
    commands.add_parser("migrate", help="bring the schema to its newest version, in the owner's role, and exit")
    republish_options.add_arguments(
        commands.add_parser("republish", help=republish_options.SUMMARY, description=REPUBLISH)
    )
    commands.add_parser("replay", help="apply the events in this context's dead letters once more")
    for name, command in service.commands.items():
        command.arguments(commands.add_parser(name, help=command.summary))
    return parser


def _migrate(service: Service[C, R]) -> int:
    # alembic and SQLAlchemy, which no running service needs in memory
    from sqlalchemy.exc import DBAPIError

    from unora_common.migrations import upgrade

    try:
        dsn = given("UNORA_DATABASE_URL", os.environ)
        if not dsn:
            raise ConfigError("UNORA_DATABASE_URL is not set; it names the owner's role")
        database_url.checked(dsn)
    except ConfigError as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 2
    try:
        result = upgrade(service.name, dsn)
    except (OSError, DBAPIError) as error:
        print(f"migrate: {_first_line(getattr(error, 'orig', None) or error)}", file=sys.stderr)
        return 1
    print(f"{service.name}: {result}")
    return 0


async def _run(app: App[C, R], options: argparse.Namespace) -> int:
    loop = asyncio.get_running_loop()
    capture(app.log)
    capture_loop(app.log, loop)
    stop, enough = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        """The first signal ends the process; a second one ends its delay."""
        (enough if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        if not await _unless(stop, app.open()):
            return _stopped(app, options) if options.command else 0
        if options.command:
            return await _until(stop, app, options)
        await _serve(app, options.role, stop)
        await app.drain(enough)
        return 0
    except (ConfigError, ContractError, OSError) as error:
        print(f"unora_{app.context}: {error}", file=sys.stderr)
        return 1
    finally:
        await app.close()


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Runs the work to its end, or cancels it when the process is to stop. Returns whether the work is done."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
        await asyncio.wait({working})
        if not working.cancelled():
            working.result()
        return not working.cancelled()
    finally:
        stopping.cancel()


async def _serve(app: App[C, R], role: str, stop: asyncio.Event) -> None:
    """Serves and works until the process is to stop."""
    app.log.info("starting", version=version("unora"), role=role)
    if app.config.metrics_listen:
        serve_metrics(app.metrics.registry, app.config.metrics_listen, app.log)
    await app.serve(calls=role != "worker")
    _settle()
    if role != "api":
        app.work()
    app.watch()
    await stop.wait()
    app.log.info("stopping")


async def _until(stop: asyncio.Event, app: App[C, R], options: argparse.Namespace) -> int:
    """Runs a command to its end, or until a signal cancels it. What is not committed then is rolled back."""
    status = 0

    async def work() -> None:
        nonlocal status
        status = await _command(app, options)

    return status if await _unless(stop, work()) else _stopped(app, options)


def _stopped(app: App[C, R], options: argparse.Namespace) -> int:
    """Says that a signal ended a command before it was done. Returns its exit status."""
    print(f"\nunora_{app.context}: {options.command} was stopped", file=sys.stderr)
    return EXIT_INTERRUPTED


def _settle() -> None:
    """What was made until now lives as long as the process, so the garbage collector need not look at it again; and it
    looks at what is new less often: calls leave few cycles behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def _command(app: App[C, R], options: argparse.Namespace) -> int:
    """Runs a command. Unlike a service it does not wait for Postgres: who typed it should know at once."""
    try:
        async with asyncio.timeout(app.timeouts.command):
            await app.database.check()
    except Exception as error:
        print(f"unora_{app.context}: Postgres does not answer: {_first_line(error)}", file=sys.stderr)
        return 1
    try:
        return await _run_command(app, options)
    except (NotRepublishableError, UnknownEventError) as error:
        print(f"republish: {error}", file=sys.stderr)
        return 2
    except Exception as error:
        if not is_transient(error):
            raise
        print(f"unora_{app.context}: interrupted ({describe(error)}); run it again", file=sys.stderr)
        return 1


async def _run_command(app: App[C, R], options: argparse.Namespace) -> int:
    if options.command == "republish":
        wanted = republish_options.wanted(app.context, options)
        await app.messaging.connected()
        return await Republish(app.runtime, app.messaging, app.timeouts.nats).run(wanted)
    if options.command == "replay":
        await app.messaging.connected()
        applied = await Replay(app.runtime, app.messaging).run(app.consumers)
        print(f"{applied} dead letters of {app.context} applied")
        return 0
    return await app.service.commands[options.command].run(app.runtime, options)


def _first_line(error: BaseException) -> str:
    """The text of an error without its details, which may hold values."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
