import sys

from unora_reveal.service import service
from unora_common.run import main

sys.exit(main(service))
