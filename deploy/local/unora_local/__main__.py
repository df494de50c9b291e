"""`python -m unora_local`."""

import sys

try:
    from unora_local.as_image import hide

    hide()  # a quarter of the time of a command would be to load what libraries only look for
    from unora_local.cli import main

    sys.exit(main())
except KeyboardInterrupt:  # while it was imported, or as it ended
    sys.exit(130)
