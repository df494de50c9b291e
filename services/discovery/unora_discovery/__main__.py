import sys

from unora_common.run import main

from unora_discovery.service import service

sys.exit(main(service))
