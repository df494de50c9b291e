"""How many examples property tests try: few in `make test`, many in `make prove`, which sets UNORA_EXAMPLES."""

from __future__ import annotations

import os

from hypothesis import settings

TIMES = int(os.environ.get("UNORA_EXAMPLES", "1"))


def examples(count: int, *, steps: int = 50) -> settings:
    """Settings for so many examples, times what `make prove` asks for; `steps` bounds those of a state machine."""
    return settings(max_examples=count * TIMES, stateful_step_count=steps, deadline=None)
