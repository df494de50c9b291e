"""How many examples property tests try: few in `make test`, many in `make prove`, which sets UNORA_EXAMPLES.

None of them fails because the machine is busy: neither an example nor its generation has a deadline.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("UNORA_EXAMPLES", "1"))
USUAL = 100


def examples(count: int, *, steps: int = 50) -> settings:
    """Settings for `count` examples, multiplied by `make prove`; `steps` limits the steps of a state machine."""
    return settings(max_examples=count * TIMES, stateful_step_count=steps)


settings.register_profile(
    "unora", max_examples=USUAL * TIMES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unora")
