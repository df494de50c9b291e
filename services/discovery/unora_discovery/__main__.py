import sys

from unora_common.cli import main

from unora_discovery.service import service

sys.exit(main(service))
