import sys

from unora_common.cli import main

from unora_billing.service import service

sys.exit(main(service))
