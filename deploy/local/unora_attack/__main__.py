"""`make attack`: plays attacks against a stack of its own, and prints what honest members noticed of each.

Twenty members go on calling meanwhile, and others upload photos. The stack is started on free ports of this machine
(loopback only), and erased afterwards. Every attack is bounded in time, in calls at once, and in calls. The report is a
table in Markdown; the exit status is 0 only if every row meets its aims.
"""

from __future__ import annotations

import argparse
import sys

from unora_attack import run
from unora_attack.attacks import ATTACKS

NAMES = [attack.name for attack in ATTACKS]
parser = argparse.ArgumentParser(
    prog="python -m unora_attack",
    description=__doc__,
    epilog="\n".join(["attacks:", *(f"  {attack.name:24} {attack.title}" for attack in ATTACKS)]),
    formatter_class=argparse.RawDescriptionHelpFormatter,
)
parser.add_argument(
    "--only", action="append", choices=NAMES, metavar="NAME", help="play only this attack; can be given several times"
)


if __name__ == "__main__":
    chosen = parser.parse_args().only or NAMES
    sys.exit(run.main([attack for attack in ATTACKS if attack.name in chosen]))
