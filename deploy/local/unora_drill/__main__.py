"""`make drill`: plays disasters on a stack of its own, brings it back by the documented commands, and checks all of it.

Of each it prints what was broken, how it is noticed, which commands brought it back, what was lost (RPO) and how long
it took (RTO). The stack has its own folder and ports, and is erased afterwards. The exit status is 0 only if after each
drill no invariant is broken, no event is lost, the audit log is whole, and every member can sign in.
"""

from __future__ import annotations

import argparse
import os
import sys

from unora_local.ports import SHIFT

from unora_drill import run
from unora_drill.drills import DRILLS

NAMES = [drill.name for drill in DRILLS]
parser = argparse.ArgumentParser(
    prog="python -m unora_drill",
    description=__doc__,
    epilog="\n".join(["drills:", *(f"  {drill.name:12} {drill.title}" for drill in DRILLS)]),
    formatter_class=argparse.RawDescriptionHelpFormatter,
)
parser.add_argument(
    "--only", action="append", choices=NAMES, metavar="NAME", help="play only this drill; can be given several times"
)
parser.add_argument(
    "--members", type=int, default=run.MEMBERS, metavar="N", help="members of the stack (default: %(default)s)"
)

if __name__ == "__main__":
    chosen = parser.parse_args()
    os.environ.setdefault(SHIFT, "3000")  # beside the developer's own stack, whichever of them starts first
    names = chosen.only or NAMES
    sys.exit(run.main([drill for drill in DRILLS if drill.name in names], chosen.members))
