"""The files of the recorded release: the newest that runs somewhere, which migrations must let go on."""

from __future__ import annotations

from typing import Final

from unora_local.run_folder import CLONE

FOLDER: Final = CLONE / "deploy" / "upgrade"
FROM: Final = FOLDER / "from"
"""Holds the id of its commit."""
SCHEMAS: Final = FOLDER / "schemas.json"
"""What its tables declare."""
JUDGED: Final = FOLDER / "judged.toml"
"""What migrations since then do, and why it goes on all the same."""
