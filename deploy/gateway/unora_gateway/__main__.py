import sys

from unora_gateway.cli import main

sys.exit(main())
