"""Variables of the environment. Any of them may be given as a file, so that no secret needs to be in the environment:
UNORA_NATS_URL_FILE names a file with the value of UNORA_NATS_URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class ConfigError(Exception):
    """A variable is missing or cannot be read; the message names it and says what it should hold."""


def given(name: str, environ: Mapping[str, str]) -> str | None:
    """The value of a variable, or the content of the file that its `_FILE` names; None if neither is set."""
    file = environ.get(f"{name}_FILE")
    if file is None:
        return environ.get(name)
    if name in environ:
        raise ConfigError(f"{name} and {name}_FILE are both set; set only one")
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}_FILE cannot be read: {error}") from None
