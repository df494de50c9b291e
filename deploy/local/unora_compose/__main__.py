"""`make compose-test`: starts docker-compose.yml on a container engine, and plays the journey of `make demo` on it.

It takes the docker of this machine, if it works and reaches a registry. Otherwise it makes an engine of Debian's
packages, within namespaces of its own and without a network, and stand-ins for the images of Postgres, NATS, S3 and
Envoy; that needs root, debootstrap and buildah. Where neither can run, it says why, and the exit status is 0.
Containers, networks and volumes have a name of their own and are erased afterwards; what is built stays in
.run/compose-test.
"""

import argparse
import sys

import unora_local  # noqa: F401 - first: it sets what gRPC reads when it is first imported
from unora_demo.options import add_journey_options
from unora_demo.run import Wishes

from unora_compose import run
from unora_compose.home import Home

parser = argparse.ArgumentParser(
    prog="python -m unora_compose", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
add_journey_options(parser, via="rest")
parser.add_argument("--clean", action="store_true", help="only remove what earlier runs have built")

if __name__ == "__main__":
    chosen = parser.parse_args()
    if chosen.clean:
        sys.exit(run.clean(Home()))
    sys.exit(run.main(Home(), Wishes(members=chosen.members, via=chosen.via)))
