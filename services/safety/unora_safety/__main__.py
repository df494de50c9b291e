import sys

from unora_safety.service import service
from unora_common.run import main

sys.exit(main(service))
