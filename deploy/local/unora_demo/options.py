"""What `make demo` and `make compose-test` both are asked for."""

from __future__ import annotations

import argparse
from typing import get_args

from unora_local.cast import PEOPLE

from unora_demo.cast import LEAST
from unora_demo.gateway import Via


def add_journey_options(parser: argparse.ArgumentParser, via: Via) -> None:
    """How many people the story has, and how the app calls; `via` is the default."""
    parser.add_argument(
        "--members",
        type=int,
        default=len(PEOPLE),
        choices=range(LEAST, len(PEOPLE) + 1),
        metavar="N",
        help=f"how many people: all who have a part, and others ({LEAST} to {len(PEOPLE)}, the default)",
    )
    parser.add_argument(
        "--via",
        choices=get_args(Via),
        default=via,
        help=f"how the app calls: grpc straight to the services, or rest over the gateway (default: {via})",
    )
