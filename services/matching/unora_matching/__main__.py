import sys

from unora_matching.service import service
from unora_common.run import main

sys.exit(main(service))
