"""`python -m unora_demo`, or `make demo`."""

import argparse
import sys
from pathlib import Path

from unora_local.mistakes import Mistake
from unora_local.parser import MOST_REPLICAS
from unora_local.run_folder import DEFAULT, RunFolder
from unora_local.running import check_folder

from unora_demo import run
from unora_demo.options import add_journey_options

parser = argparse.ArgumentParser(
    prog="python -m unora_demo",
    description="Plays sixty members, two of them to Day 15, on a running stack or on one of its own. "
    "The report is written to demo.json in the folder of the stack.",
)
parser.add_argument("--run", type=Path, default=DEFAULT, help="the folder of the stack (default: .run)")
add_journey_options(parser, via="grpc")
parser.add_argument(
    "--record",
    type=Path,
    metavar="FILE",
    help="with --via rest: write examples of the calls, for the reference of REST",
)
parser.add_argument(
    "--record-events",
    type=Path,
    metavar="FILE",
    help="write an example of each event that the journey causes, for the reference of events",
)
parser.add_argument(
    "--replicas",
    type=int,
    default=1,
    choices=range(1, MOST_REPLICAS + 1),
    metavar="N",
    help="how many processes each context has in a stack of its own (1, the default); one that runs stays as it is",
)
options = parser.parse_args()
if options.record and options.via != "rest":
    parser.error("--record needs --via rest")
try:
    check_folder(options.run)
except Mistake as error:
    sys.exit(str(error))
wishes = run.Wishes(options.members, options.via, options.replicas, options.record, options.record_events)
sys.exit(run.main(RunFolder(options.run), wishes))
