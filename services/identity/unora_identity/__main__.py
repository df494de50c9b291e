import sys

from unora_common.cli import main

from unora_identity.service import service

sys.exit(main(service))
