"""`python -m unora_local`."""

import sys

from unora_local.cli import main

sys.exit(main())
