"""`python -m unora_demo`, or `make demo`."""

import argparse
import sys
from pathlib import Path

from unora_local.run_folder import DEFAULT, RunFolder

from unora_demo import run

parser = argparse.ArgumentParser(
    prog="python -m unora_demo",
    description="Plays sixty members, two of them to Day 15, on a running stack or on one of its own. "
    "The report is written to demo.json in the folder of the stack.",
)
parser.add_argument("--run", type=Path, default=DEFAULT, help="the folder of the stack (default: .run)")
sys.exit(run.main(RunFolder(parser.parse_args().run)))
