"""`make compose-test`: starts docker-compose.yml on a container engine, and plays the journey of `make demo` on it.

It takes the docker of this machine, if it works and reaches a registry. Otherwise it makes an engine of Debian's
packages, within namespaces of its own and without a network, and stand-ins for the images of Postgres, NATS, S3 and
Envoy; that needs root, debootstrap and buildah. Where neither can run, it says why, and the exit status is 0.
Containers, networks and volumes have a name of their own and are erased afterwards; what is built stays in
.run/compose-test.
"""

import argparse
import sys
from typing import get_args

import unora_local  # noqa: F401 - first: it sets what gRPC reads when it is first imported
from unora_demo.cast import LEAST
from unora_demo.gateway import Via
from unora_demo.run import Wishes
from unora_local.cast import PEOPLE

from unora_compose import run
from unora_compose.home import Home

parser = argparse.ArgumentParser(
    prog="python -m unora_compose", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
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
    default="rest",
    help="how the app calls: rest over the gateway (the default), or grpc straight to the services",
)
parser.add_argument("--clean", action="store_true", help="only remove what earlier runs have built")

if __name__ == "__main__":
    chosen = parser.parse_args()
    if chosen.clean:
        sys.exit(run.clean(Home()))
    sys.exit(run.main(Home(), Wishes(members=chosen.members, via=chosen.via)))
