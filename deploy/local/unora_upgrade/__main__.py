"""`make upgrade`: rolls from an earlier release to today's and back, on one database and one NATS, while members call.

The earlier release is built from the history, once, into .run/upgrade. Then it runs with data of its own, on ports of
its own; today's migrations and streams are applied while it runs; its processes are replaced one after the other by
today's, back, and forward again. No call may fail that is repeated as docs/interfaces.md says, no event may become a
dead letter, no answered change may be lost, and no invariant may be broken. The exit status is 0 only then.
"""

from __future__ import annotations

import argparse
import os
import sys

from unora_local.ports import SHIFT

from unora_upgrade import run

parser = argparse.ArgumentParser(
    prog="python -m unora_upgrade", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument(
    "--from",
    dest="wanted",
    metavar="COMMIT",
    help="the earlier release (default: the commit that deploy/upgrade/from names)",
)
parser.add_argument(
    "--steady",
    type=float,
    default=run.SETTLE_SECONDS,
    metavar="SECONDS",
    help="how long members call between two steps (default: %(default)s)",
)

if __name__ == "__main__":
    chosen = parser.parse_args()
    os.environ.setdefault(SHIFT, "2000")  # beside the developer's own stack, whichever of them starts first
    sys.exit(run.main(run.Plan(wanted=chosen.wanted, steady=chosen.steady)))
