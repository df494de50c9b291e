"""What the services log while they are attacked: some things must not be there."""

from __future__ import annotations

from collections import Counter
from typing import Final

from unora_common.config import CONTEXTS
from unora_local.run_folder import RunFolder

FORBIDDEN: Final = {
    b"REVOCATIONS_STALE": "members refused, since the revoked sessions are not known",
    b'"code": "INTERNAL"': "calls that failed with INTERNAL",
    b'"code":"INTERNAL"': "calls that failed with INTERNAL",
    b"Traceback (most": "tracebacks outside of the log's lines of JSON",
}
"""What a line may not begin with or hold, and what that means."""


class Logs:
    """The logs of all services, from where they were last read."""

    def __init__(self, folder: RunFolder) -> None:
        self._files = {context: folder.logs / f"{context}.log" for context in CONTEXTS}
        self._read = dict.fromkeys(CONTEXTS, 0)

    def skip(self) -> None:
        """Begin here."""
        self._read = {context: file.stat().st_size for context, file in self._files.items()}

    def faults(self) -> list[str]:
        """What was written since, and must not be."""
        found: Counter[str] = Counter()
        for context, file in self._files.items():
            with file.open("rb") as lines:
                lines.seek(self._read[context])
                for line in lines:
                    found.update(f"{context}: {meaning}" for mark, meaning in FORBIDDEN.items() if _has(line, mark))
        return [f"{number} {what}" for what, number in found.items()]


def _has(line: bytes, mark: bytes) -> bool:
    return line.startswith(mark) if mark.startswith(b"Traceback") else mark in line
