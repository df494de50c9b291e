import sys

from unora_common.cli import start

sys.exit(start("matching"))
