import sys

from unora_common.run import main

from unora_billing.service import service

sys.exit(main(service))
